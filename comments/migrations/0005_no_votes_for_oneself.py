from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("comments", "0004_fewer_indexes")]

    operations = [
        migrations.RunSQL(
            """
            WITH dropped AS (
                DELETE FROM comments_vote USING comments_comment AS voted
                WHERE comment_id = voted.id AND comments_vote.reader_id = voted.reader_id RETURNING comment_id
            )
            UPDATE comments_comment SET score = score - 1 FROM dropped WHERE id = comment_id
            """,
            migrations.RunSQL.noop,
        )
    ]
