"""Makes .venv, with exactly the packages of one requirements file: `bin/python bin/environment.py requirements.txt`.

Runs before anything is installed, so it imports nothing but the standard library and what needs no more. If all is
there already, it takes no time; what was interrupted is repeated.
"""

import hashlib
import importlib.util
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
VENV = PROJECT / ".venv"
PYTHON = VENV / "bin" / "python"
MADE = VENV / "made"  # written last, so an environment without it is a half one

sys.path.append(str(PROJECT))
from newsroom.terminal import _  # noqa: E402 (the project is not yet where Python looks)

_CANNOT_BE_MADE = _("Die Python-Umgebung %(folder)s lässt sich nicht anlegen: %(why)s")


def main(requirements: Path) -> None:
    if not is_made():
        make()
    # The files share their pins: when one of them changes, what was installed from the others is out of date too.
    files = sorted(PROJECT.glob("requirements*.txt"))
    fingerprint = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    for stamp in VENV.glob("*.installed"):
        if stamp.read_text() != fingerprint:
            stamp.unlink()
    stamp = VENV / f"{requirements.name}.installed"
    if not stamp.exists():
        install(requirements)
        stamp.write_text(fingerprint)


def is_made() -> bool:
    """Whether there is a whole environment, and its Python still runs: the one it was made with may be gone."""
    return MADE.exists() and subprocess.run([PYTHON, "-c", ""], capture_output=True).returncode == 0


def make() -> None:
    if not importlib.util.find_spec("ensurepip") or not importlib.util.find_spec("venv"):
        sys.exit(
            _("Diesem Python (%s) fehlt das Modul venv; unter Debian und Ubuntu hilft: apt install python3-venv")
            % sys.executable
        )
    say(_("Python-Umgebung wird angelegt (Python %s) ...") % sys.version.split()[0])
    shutil.rmtree(VENV, ignore_errors=True)
    try:
        made = subprocess.run([sys.executable, "-m", "venv", VENV], capture_output=True, text=True)
    except OSError as error:
        sys.exit(_CANNOT_BE_MADE % {"folder": VENV, "why": f"{error.strerror}."})
    if made.returncode != 0:
        sys.exit(_CANNOT_BE_MADE % {"folder": VENV, "why": last_line(made.stdout + made.stderr)})
    MADE.touch()


def install(requirements: Path) -> None:
    """Runs pip, shows one line that moves instead of its pages, and those pages only if it fails."""
    wanted = sum(1 for line in requirements.read_text().splitlines() if "==" in line)
    log = VENV / "pip.log"
    command = [PYTHON, "-m", "pip", "install", "--require-hashes", "--disable-pip-version-check", "--no-input"]
    with log.open("wb") as output:
        pip = subprocess.Popen([*command, "-r", requirements], stdout=output, stderr=subprocess.STDOUT)
    try:
        show_progress(pip, log, wanted)
    finally:
        pip.kill()  # nothing, if it has ended by itself
        pip.wait()
    if pip.returncode != 0:
        print(*log.read_text(errors="replace").splitlines()[-15:], sep="\n", file=sys.stderr)
        sentence = _("Die Pakete aus %(file)s ließen sich nicht installieren; alles dazu steht in %(log)s")
        sys.exit(sentence % {"file": requirements.name, "log": log})
    say(_("%d Pakete sind eingerichtet.") % wanted, again=True)


def show_progress(pip: subprocess.Popen, log: Path, wanted: int) -> None:
    shown = ""
    while pip.poll() is None:
        lines = log.read_text(errors="replace").splitlines()
        seen = sum(1 for line in lines if line.startswith(("Collecting ", "Requirement already")))
        if any(line.startswith("Installing ") for line in lines):
            step = _("%d Pakete werden eingerichtet ...") % wanted
        else:
            step = _("Pakete werden geholt: %(seen)d von %(wanted)d ...") % {"seen": seen, "wanted": wanted}
        if step != shown:
            say(step, again=bool(shown))
            shown = step
        time.sleep(0.5)


def say(step: str, *, again: bool = False) -> None:
    """On a terminal, a step that goes on overwrites its line; in a log it has a line of its own each time."""
    up = "\033[A\r\033[K" if again and sys.stdout.isatty() else ""
    print(f"{up}{step}", flush=True)


def last_line(text: str) -> str:
    return (text.strip().splitlines() or [_("kein Grund genannt.")])[-1]


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # `make run` has it ignored until now
    try:
        main(PROJECT / sys.argv[1])
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:
        sys.exit(f"{error.filename}: {error.strerror}.")
