from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("articles", "0007_slow_mode_is_one_of_the_choices"),
        ("comments", "0006_held_of_reader"),
    ]

    operations = [
        migrations.AddField(
            model_name="counters",
            name="commented_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.RunSQL(
            """
            UPDATE articles_counters SET commented_at = coalesce(
                (SELECT max(published_at) FROM comments_comment WHERE article_id = articles_counters.article_id), now()
            ) WHERE last_number > 0
            """,
            migrations.RunSQL.noop,
        ),
        migrations.AddConstraint(
            model_name="counters",
            constraint=models.CheckConstraint(
                condition=models.Q(("last_number", 0), ("commented_at__isnull", False), _connector="OR"),
                name="counters_comments_have_time",
            ),
        ),
    ]
