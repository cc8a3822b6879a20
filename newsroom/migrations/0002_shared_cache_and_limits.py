"""The cache's table, and limits that no crash needs to remember."""

from django.core.management import call_command
from django.db import migrations


def create_cache_table(apps, schema_editor):
    call_command("createcachetable", database=schema_editor.connection.alias, verbosity=0)


class Migration(migrations.Migration):
    dependencies = [("newsroom", "0001_initial")]

    operations = [
        # Unlogged: a limit counted on every post must not wait for the disk.
        migrations.RunSQL("ALTER TABLE newsroom_limit SET UNLOGGED", "ALTER TABLE newsroom_limit SET LOGGED"),
        migrations.RunPython(create_cache_table, migrations.RunPython.noop),
    ]
