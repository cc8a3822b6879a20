"""`make run`, for real: the whole site starts, keeps itself running, and leaves nothing behind."""

import contextlib
import http.cookiejar
import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener, urlopen

import psutil
import psycopg
import pytest

from newsroom.database import EmbeddedDatabase

PROJECT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "newsroom.trial"]


class Site:
    """A running `make run`, and what it said so far."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.port = free_port()
        self.url = f"http://localhost:{self.port}"
        self.log = data.parent / "said.log"
        with self.log.open("wb") as said:
            self.process = start(data, self.port, stdout=said, stderr=subprocess.STDOUT)
        wait_until(lambda: "Strg-C" in self.said or self.process.poll() is not None, 90)
        assert self.process.poll() is None, self.said
        self.family = psutil.Process(self.process.pid).children(recursive=True)

    @property
    def said(self) -> str:
        return self.log.read_text()

    def child(self, words: str) -> psutil.Process | None:
        children = psutil.Process(self.process.pid).children()
        return next((child for child in children if words in command(child)), None)

    def health(self) -> dict[str, str] | None:
        try:
            with urlopen(f"{self.url}/healthz") as answer:
                return json.load(answer)
        except (URLError, ConnectionError):
            return None

    def end(self, sig: signal.Signals) -> int:
        """Returns its exit code, once nothing of it is left."""
        family = [*self.family, *psutil.Process(self.process.pid).children(recursive=True)]
        self.process.send_signal(sig)
        code = self.process.wait(30)
        assert left_of(family) == []
        return code


def environment(data: Path, port: int | str) -> dict[str, str]:
    """A user's, without what the tests set for themselves."""
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "TMPDIR"}}
    return kept | {"PORT": str(port), "NEWSROOM_DATA": str(data)}


def start(data: Path, port: int | str, **options: object) -> subprocess.Popen:
    env = environment(data, port) | options.pop("variables", {})
    return subprocess.Popen(COMMAND, cwd=PROJECT, env=env, stdin=subprocess.DEVNULL, **options)


def refusal(data: Path, port: int | str, **variables: str) -> str:
    """What it says when it does not start."""
    process = start(data, port, variables=variables, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    said = process.communicate(timeout=30)[1]
    assert process.returncode == 1
    return said


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_alive(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def command(process: psutil.Process) -> str:
    """Nothing, if it ended meanwhile."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return " ".join(process.cmdline())
    return ""


def left_of(family: list[psutil.Process]) -> list[psutil.Process]:
    """Who still lives a while after the end."""
    psutil.wait_procs(family, timeout=15)
    return [process for process in family if is_alive(process)]


def wait_until(condition: Callable[[], object], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def read_until(terminal: int, words: str | None) -> str:
    """What a terminal shows until the words come; None: until all who had it open are gone."""
    said = b""
    while words is None or words.encode() not in said:
        try:
            piece = os.read(terminal, 4096)
        except OSError:  # how Linux reports that end
            piece = b""
        if not piece:
            assert words is None, said.decode()
            break
        said += piece
    return said.decode()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all: the first start takes seconds, and that later ones find its data is a point of its own."""
    return tmp_path_factory.mktemp("betrieb") / "daten"


@pytest.fixture(scope="module")
def site(data: Path) -> Iterator[Site]:
    """The first start. It runs until a test kills it, for each start takes five seconds of the processor."""
    site = Site(data)
    yield site
    if site.process.poll() is None:  # that test was not asked for
        assert site.end(signal.SIGINT) == 0


class TestWhileItRuns:
    def test_it_says_in_five_lines_where_things_are(self, site):
        password = json.loads((site.data / "secrets.json").read_text())["first_password"]
        assert site.said.splitlines()[-5:] == [
            f"Seite:      {site.url}/",
            f"Redaktion:  {site.url}/redaktion/  Name redaktion, Passwort {password}",
            f"Postfach:   {site.url}/postfach/",
            f"Daten:      {site.data}",
            "Beenden:    Strg-C",
        ]

    def test_everything_is_well(self, site):
        assert site.health() == {"database": "ok", "worker": "ok", "mail": "ok"}

    @pytest.mark.parametrize("path", ["/", "/artikel/lukaschenko-trifft-putin/", "/postfach/"])
    def test_its_pages_are_there(self, site, path):
        with urlopen(site.url + path) as answer:
            assert answer.status == 200
            assert "</html>" in answer.read().decode()

    def test_the_first_article_is_on_the_front_page(self, site):
        with urlopen(site.url) as answer:
            assert "Lukaschenko trifft Putin: Wird Weißrussland zum Puffer?" in answer.read().decode()

    def test_the_first_password_opens_the_admin(self, site):
        browser = build_opener(HTTPCookieProcessor(http.cookiejar.CookieJar()))
        with browser.open(f"{site.url}/redaktion/login/?next=/redaktion/") as page:
            token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.read().decode())[1]
        password = json.loads((site.data / "secrets.json").read_text())["first_password"]
        form = {"csrfmiddlewaretoken": token, "username": "redaktion", "password": password, "next": "/redaktion/"}
        with browser.open(f"{site.url}/redaktion/login/", urlencode(form).encode()) as page:
            assert page.url == f"{site.url}/redaktion/"

    def test_secrets_are_nobody_elses_business(self, site):
        assert (site.data / "secrets.json").stat().st_mode & 0o777 == 0o600
        assert site.data.stat().st_mode & 0o777 == 0o700

    def test_only_this_machine_reaches_it(self, site):
        with socket.socket() as other:
            other.bind(("127.0.0.2", site.port))  # taken if the server listened on every address

    def test_open_tabs_shut_nobody_out(self, site):
        """A browser keeps its connection for the next page; granian counts such idle ones against a limit."""
        with contextlib.ExitStack() as tabs:
            for _ in range(300):
                tab = tabs.enter_context(socket.create_connection(("localhost", site.port), timeout=10))
                tab.sendall(b"GET /robots.txt HTTP/1.1\r\nHost: localhost\r\n\r\n")
                assert tab.recv(15) == b"HTTP/1.1 200 OK"
            assert site.health() == {"database": "ok", "worker": "ok", "mail": "ok"}

    @pytest.mark.parametrize("words", ["manage.py work", "newsroom.serve", "newsroom.mailbox"])
    def test_what_is_killed_comes_back(self, site, words):
        killed = site.child(words)
        killed.kill()
        wait_until(lambda: site.child(words) not in (None, killed), 10)
        wait_until(lambda: site.health() == {"database": "ok", "worker": "ok", "mail": "ok"}, 30)

    def test_a_taken_port_is_one_clear_sentence(self, site, tmp_path):
        sentence = f"Port {site.port} ist belegt; anderswo startet: PORT={site.port + 1} make run\n"
        assert refusal(tmp_path / "daten", site.port) == sentence
        assert not (tmp_path / "daten").exists()

    def test_it_speaks_the_sites_language(self, site, tmp_path):
        sentence = f"Port {site.port} is taken; to start elsewhere: PORT={site.port + 1} make run\n"
        assert refusal(tmp_path / "daten", site.port, LANGUAGE_CODE="en") == sentence

    def test_a_second_one_on_the_same_data_is_refused(self, site):
        sentence = f"Mit dem Datenordner {site.data}/database läuft schon eine Datenbank.\n"
        assert refusal(site.data, free_port()) == sentence
        assert site.health() == {"database": "ok", "worker": "ok", "mail": "ok"}


def test_a_killed_starter_takes_all_with_it_and_the_next_one_finds_all_data(site, data):
    with psycopg.connect(EmbeddedDatabase(data / "database").url) as connection:
        connection.execute("UPDATE readers_user SET password = '!' WHERE username = 'redaktion'")
    assert site.end(signal.SIGKILL) == -signal.SIGKILL

    site = Site(data)
    assert "Name redaktion, (Ihr Passwort)" in site.said  # the first password is shown while it opens the door
    assert site.health() == {"database": "ok", "worker": "ok", "mail": "ok"}
    assert site.end(signal.SIGTERM) == 0


def test_ctrl_c_in_a_terminal_ends_it_well_and_make_too(data):
    makefile = data.parent / "Makefile"
    makefile.write_text(f"run:\n\t@exec {' '.join(COMMAND)}\n")
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(PROJECT)
        os.execvpe("make", ["make", "-f", str(makefile), "run"], environment(data, free_port()))
    read_until(terminal, "Strg-C")
    family = psutil.Process(pid).children(recursive=True)
    os.write(terminal, b"\x03")
    assert read_until(terminal, None).split("\r\n")[-2:] == ["Newsroom wird beendet ...", ""]
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert (left_of(family), len(family) > 5) == ([], True)


def test_an_unwritable_folder_is_one_clear_sentence(tmp_path):
    (tmp_path / "datei").write_text("")
    sentence = f"In den Datenordner {tmp_path}/datei/daten kann nicht geschrieben werden (Not a directory).\n"
    assert refusal(tmp_path / "datei" / "daten", free_port()) == sentence


def test_a_port_that_another_program_has_by_ipv6_is_taken(tmp_path):
    """Browsers try that first for "localhost"."""
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as other:
        port = other.getsockname()[1]
        sentence = f"Port {port} ist belegt; anderswo startet: PORT={port + 1} make run\n"
        assert refusal(tmp_path / "daten", port) == sentence


def test_ctrl_c_while_it_is_being_loaded_ends_it_without_a_word(tmp_path):
    """Python tells what it has loaded, and the package itself is the first of ours that is whole."""
    command = [sys.executable, "-X", "importtime", *COMMAND[1:]]
    variables = environment(tmp_path / "daten", free_port())
    options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen(command, cwd=PROJECT, env=variables, **options)
    assert any(line.endswith("| newsroom.trial\n") for line in process.stderr)
    process.send_signal(signal.SIGINT)
    out, told = process.communicate(timeout=30)
    assert (process.returncode, out) == (0, "")
    assert [line for line in told.splitlines() if not line.startswith("import time:")] == []


@pytest.mark.parametrize("port", ["abc", "0", "70000", "-1"])
def test_a_port_that_is_none_is_one_clear_sentence(tmp_path, port):
    assert refusal(tmp_path / "daten", port) == f"PORT muss eine Zahl von 1 bis 65535 sein, nicht {port!r}.\n"
