"""How long ago is said twice, by the server and by a script: in the same words."""

from datetime import UTC, datetime, timedelta

NOON = datetime(2026, 6, 15, 10, 0, tzinfo=UTC)  # in Berlin
AGO = [
    (timedelta(seconds=20), "jetzt", "now"),
    (timedelta(seconds=80), "vor 1 Minute", "1 minute ago"),
    (timedelta(minutes=59, seconds=59), "vor 59 Minuten", "59 minutes ago"),
    (timedelta(minutes=119), "vor 1 Stunde", "1 hour ago"),
    (timedelta(hours=18), "vor 18 Stunden", "18 hours ago"),
    (timedelta(hours=25), "gestern", "yesterday"),
    (timedelta(hours=37), "vorgestern", "2 days ago"),  # by the calendar
    (timedelta(hours=72), "vor 3 Tagen", "3 days ago"),
    (timedelta(days=29), "vor 29 Tagen", "29 days ago"),
    (timedelta(days=32), "vor 1 Monat", "1 month ago"),
    (timedelta(days=300), "vor 9 Monaten", "9 months ago"),
    (timedelta(days=500), "vor 1 Jahr", "1 year ago"),
    (timedelta(days=800), "vor 2 Jahren", "2 years ago"),
]
