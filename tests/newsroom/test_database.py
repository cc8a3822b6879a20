"""The embedded PostgreSQL: keeps its data, keeps to itself, survives being killed, works for root and for others."""

import os
import pwd
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from newsroom.database import DatabaseStartError, EmbeddedDatabase


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedDatabase]:
    with EmbeddedDatabase(tmp_path_factory.mktemp("laufend") / "daten", durable=False) as running:
        yield running


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data with one note, made once: initdb takes most of a first start."""
    database = EmbeddedDatabase(tmp_path_factory.mktemp("gemacht") / "daten")
    with database, psycopg.connect(database.url) as connection:
        connection.execute("CREATE TABLE note AS SELECT 'bleibt' AS body")
    return database.folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return copied(made, tmp_path / "daten")


def copied(data: Path, place: Path) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-a", data, place], check=True)
    return place


def answer(database: EmbeddedDatabase, query: str) -> object:
    with psycopg.connect(database.url) as connection:
        return connection.execute(query).fetchone()[0]


def processes_of(database: EmbeddedDatabase) -> list[psutil.Process]:
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if str(database.cluster) in " ".join(process.info["cmdline"] or [])  # a zombie has none
    ]


def wait_until_gone(database: EmbeddedDatabase) -> None:
    deadline = time.monotonic() + 10
    while processes_of(database):
        assert time.monotonic() < deadline
        time.sleep(0.02)


START_AND_WAIT = """
import sys, time
from pathlib import Path
from newsroom.database import EmbeddedDatabase
database = EmbeddedDatabase(Path(sys.argv[1]))
database.start()
print(database.url, flush=True)
time.sleep(600)
"""


def start_elsewhere(folder: Path, **env: str) -> subprocess.Popen:
    """Another Python starts the database and waits."""
    command = [sys.executable, "-c", START_AND_WAIT, str(folder)]
    starter = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **env})
    assert starter.stdout.readline().startswith("postgresql://")
    return starter


def test_it_is_postgresql_18_with_unicode_and_checksums(database):
    assert answer(database, "SHOW server_version").startswith("18.")
    assert answer(database, "SHOW server_encoding") == "UTF8"
    assert answer(database, "SHOW data_checksums") == "on"
    assert answer(database, "SELECT lower('ÄÖÜ')") == "äöü"
    assert answer(database, "SELECT current_database()") == "newsroom"


def test_only_a_socket_in_a_closed_folder_leads_to_it(database):
    assert answer(database, "SHOW listen_addresses") == ""
    assert database.socket_folder.stat().st_mode & 0o777 == 0o700
    assert database.cluster.stat().st_mode & 0o777 == 0o700


def test_no_permission_is_changed_outside_its_own_folder(tmp_path):
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    parents = [home, *home.parents]
    before = [(path.stat().st_mode, path.stat().st_uid, path.stat().st_gid) for path in parents]
    with EmbeddedDatabase(home / "daten", durable=False) as database:
        assert answer(database, "SELECT 1") == 1
    assert [(path.stat().st_mode, path.stat().st_uid, path.stat().st_gid) for path in parents] == before


def test_data_survives_a_restart(folder):
    with EmbeddedDatabase(folder) as database, psycopg.connect(database.url) as connection:
        connection.execute("UPDATE note SET body = 'bleibt auch'")
    assert not database.running
    with EmbeddedDatabase(folder) as database:
        assert answer(database, "SELECT body FROM note") == "bleibt auch"


@pytest.mark.parametrize("name", ["a b", 'Komma, "Anführung" und Umlaut ü', "tief/" * 30, "50%"])
def test_any_folder_name_will_do(made, tmp_path, name):
    copied(made, tmp_path / name)
    with EmbeddedDatabase(tmp_path / name, durable=False) as database:
        socket_folder = database.socket_folder
        assert answer(database, "SELECT 1") == 1
    assert socket_folder.is_relative_to(tmp_path) or not socket_folder.exists()


def test_a_second_server_on_the_same_folder_is_refused_and_does_no_harm(database):
    with pytest.raises(DatabaseStartError, match="läuft schon"):
        EmbeddedDatabase(database.folder).start()
    assert answer(database, "SELECT 1") == 1


def test_it_ends_with_a_starter_that_is_killed(folder):
    starter = start_elsewhere(folder)
    starter.kill()
    starter.communicate()
    wait_until_gone(EmbeddedDatabase(folder))


def test_it_starts_again_at_once_after_its_starter_was_killed(folder):
    starter = start_elsewhere(folder)
    starter.kill()
    starter.communicate()
    with EmbeddedDatabase(folder) as database:  # the old server may be shutting down still
        assert answer(database, "SELECT 1") == 1


def test_it_starts_after_everything_was_killed(folder):
    database = EmbeddedDatabase(folder)
    starter = start_elsewhere(folder)
    for process in processes_of(database):
        process.kill()
    starter.kill()
    starter.communicate()
    wait_until_gone(database)
    assert (database.cluster / "postmaster.pid").exists()

    with EmbeddedDatabase(folder) as database:
        assert answer(database, "SELECT body FROM note") == "bleibt"


def test_a_pid_file_whose_number_is_somebody_elses_now_is_no_obstacle(folder):
    with EmbeddedDatabase(folder) as database:
        content = (database.cluster / "postmaster.pid").read_text()
    stranger = subprocess.Popen(["sleep", "600"])
    try:
        for stale in (content.replace(content.split()[0], str(stranger.pid), 1), ""):
            (database.cluster / "postmaster.pid").write_text(stale)
            with EmbeddedDatabase(folder) as database:
                assert answer(database, "SELECT 1") == 1
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_server_that_died_under_us_comes_back_at_the_same_address(folder):
    with EmbeddedDatabase(folder) as database:
        address = database.url
        for process in processes_of(database):
            process.kill()
        wait_until_gone(database)
        assert not database.running
        database.revive()
        assert database.url == address
        assert answer(database, "SELECT body FROM note") == "bleibt"


def test_an_interrupted_first_start_is_repeated(tmp_path):
    (tmp_path / "daten" / "cluster.new" / "base").mkdir(parents=True)
    with EmbeddedDatabase(tmp_path / "daten", durable=False) as database:
        assert answer(database, "SELECT 1") == 1


def test_data_of_another_version_are_refused(tmp_path):
    (tmp_path / "daten" / "cluster").mkdir(parents=True)
    (tmp_path / "daten" / "cluster" / "PG_VERSION").write_text("16\n")
    with pytest.raises(DatabaseStartError, match="gehören zu PostgreSQL 16, hier läuft PostgreSQL 18"):
        EmbeddedDatabase(tmp_path / "daten").start()


def test_a_folder_that_cannot_be_made_is_one_clear_sentence(tmp_path):
    (tmp_path / "datei").write_text("")
    with pytest.raises(DatabaseStartError, match="Der Datenordner .* ist nicht beschreibbar: Not a directory."):
        EmbeddedDatabase(tmp_path / "datei" / "daten").start()


def test_why_it_does_not_start_is_in_the_sentence(folder):
    with EmbeddedDatabase(folder) as database:
        pass
    with (database.cluster / "postgresql.conf").open("a") as settings:
        settings.write("\nmax_connections = unsinn\n")
    with pytest.raises(DatabaseStartError, match="postgresql.conf"):
        EmbeddedDatabase(folder).start()


def test_root_takes_back_data_that_belong_to_another_user(folder):
    """The ways of `newsroom.unprivileged` own the data differently, and a machine may change its mind between them."""
    database = EmbeddedDatabase(folder)
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody").pw_uid
        for path in (database.folder, *database.folder.rglob("*")):
            os.chown(path, nobody, -1)
    with EmbeddedDatabase(folder) as database:
        assert answer(database, "SELECT body FROM note") == "bleibt"


def test_root_gets_by_without_user_namespaces(folder, tmp_path):
    """As where a container forbids them; here, unshare is not to be found. For others nothing changes."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("sh", "setpriv"):
        if found := shutil.which(name):
            (programs / name).symlink_to(found)
    starter = start_elsewhere(folder, PATH=str(programs))
    try:
        owner = "nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        assert {process.username() for process in processes_of(EmbeddedDatabase(folder))} == {owner}
        assert answer(EmbeddedDatabase(folder), "SELECT body FROM note") == "bleibt"
    finally:
        starter.kill()
        starter.communicate()
        wait_until_gone(EmbeddedDatabase(folder))
