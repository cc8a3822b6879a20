"""GET /healthz: are database and worker well?"""

from django.db import connection


def heartbeat(seconds_ago: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - make_interval(secs => %s))",
            [seconds_ago],
        )


def test_without_a_worker(db, client):
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (503, {"database": "ok", "worker": "silent", "mail": "ok"})


def test_with_a_worker_that_fell_silent(db, client):
    heartbeat(60)
    assert client.get("/healthz").status_code == 503


def test_with_a_living_worker(db, client):
    heartbeat(600)
    heartbeat(3)
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"database": "ok", "worker": "ok", "mail": "ok"})
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.cookies == {}
    assert client.head("/healthz").status_code == 200


def test_real_worker_counts(transactional_db, client, run_jobs):
    """A worker that has ended in order takes its row with it."""
    run_jobs()
    assert client.get("/healthz").json() == {"database": "ok", "worker": "silent", "mail": "ok"}


def test_only_looking(db, client):
    assert client.post("/healthz").status_code == 405
