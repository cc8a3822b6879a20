"""`make run` as it is, but that its mails go to the faults' own mail server, and that its worker steps aside while a
file says so. A program: `python -m faults.starter`."""

import os
import time
from pathlib import Path

from newsroom.trial import __main__ as trial

# In the data folder: the first is our wish, the second says that it is so.
WORKER_AWAY, WORKER_GONE = "worker-away", "worker-gone"


class Site(trial.Site):
    def _set_environment(self) -> None:
        super()._set_environment()
        os.environ["EMAIL_URL"] = os.environ["FAULTS_EMAIL_URL"]

    def _start_children(self) -> None:
        super()._start_children()
        self.worker = next(child for child in self.children if child.name == "worker")

    def _tend(self) -> None:
        is_away, away = self.worker not in self.children, (self.data / WORKER_AWAY).exists()
        if away and not is_away:
            self.children.remove(self.worker)
            self.worker.ask_to_stop()
            while self.worker.alive:
                time.sleep(0.02)
            self.worker.kill()
            (self.data / WORKER_GONE).touch()
        elif is_away and not away:
            (self.data / WORKER_GONE).unlink()
            self.children.insert(1, self.worker)
            self.worker.start()
        super()._tend()


if __name__ == "__main__":
    Site(int(os.environ["PORT"]), Path(os.environ["NEWSROOM_DATA"])).run()
