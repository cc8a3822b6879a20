"""How root runs programs that refuse to run as root, PostgreSQL's above all."""

import os
import pwd
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from newsroom.terminal import _


class NoWayError(Exception):
    """None of the ways works here. The message is one sentence for the person in front of the console."""


@dataclass
class Way:
    """A way to run such programs: behind a prefix, or with a change of user."""

    owner: int  # who the files belong to, as seen from here
    prefix: list[str] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)

    def popen(self, command: list[str], **options: Any) -> subprocess.Popen[bytes]:
        return subprocess.Popen([*self.prefix, *command], **self.options, **options)

    def run(self, command: list[str]) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [*self.prefix, *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd="/",
            **self.options,
        )

    def give(self, folder: Path) -> None:
        """Make a folder and all in it belong to the owner. Only root can, and only root needs to."""
        if os.geteuid() != 0:
            return
        for path in (folder, *folder.rglob("*")):
            if path.lstat().st_uid != self.owner:
                os.chown(path, self.owner, -1, follow_symlinks=False)

    def works(self, probe: list[str], folder: Path) -> bool:
        """Whether the command succeeds this way, and programs may write into the folder."""
        try:
            if self.run(probe).returncode != 0:
                return False
            self.give(folder)
            return self.run(["sh", "-c", ': >> "$0"', str(folder / "lock")]).returncode == 0
        except OSError:  # unshare or setpriv is missing, or we may not change users
            return False


def way_to_run(probe: list[str], folder: Path) -> Way:
    """As an ordinary user, directly. As root, the first of three ways that works with the programs and the folder."""
    if os.geteuid() != 0:
        return Way(owner=os.geteuid())
    # initdb looks its user up by number, so it has to be one that exists.
    nobody = pwd.getpwnam("nobody")
    uid, gid = str(nobody.pw_uid), str(nobody.pw_gid)
    ways = [
        # Root under another name: inside the namespace the programs see "nobody", the kernel still sees root. Works
        # in a closed home of root, and every file stays root's.
        Way(owner=0, prefix=["unshare", "--user", f"--map-user={uid}", f"--map-group={gid}"]),
        # Where namespaces are forbidden, as in many containers: really nobody, but with root's right to pass closed
        # folders and nothing else of root's. Without the securebit, access(2), by which PostgreSQL looks for its own
        # file, would disregard that right.
        Way(
            owner=nobody.pw_uid,
            prefix=["setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups", "--no-new-privs"]
            + ["--securebits=+no_setuid_fixup", "--inh-caps=-all,+dac_override", "--ambient-caps=-all,+dac_override"],
        ),
        # Where not even that is allowed: nobody, who must be able to reach the programs and the folder.
        Way(
            owner=nobody.pw_uid,
            options={"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []},
        ),
    ]
    for way in ways:
        if way.works(probe, folder):
            return way
    raise NoWayError(
        _(
            "PostgreSQL läuft nicht als root, und dieses System lässt keinen der Auswege zu:"
            " Bitte als gewöhnlicher Benutzer starten."
        )
    )
