"""`make run` as it is, but that its mails go to the faults' own mail server. A program: `python -m faults.starter`."""

import os
from pathlib import Path

from newsroom.trial import __main__ as trial


class Site(trial.Site):
    def _set_environment(self) -> None:
        super()._set_environment()
        os.environ["EMAIL_URL"] = os.environ["FAULTS_EMAIL_URL"]


if __name__ == "__main__":
    Site(int(os.environ["PORT"]), Path(os.environ["NEWSROOM_DATA"])).run()
