"""Faults of mail servers and mail workers: E11 to E16, E19, E20. To be written, as posting.py and crashes.py are.

A stage has `mails`, whose `script` says what the server answers and whose `logged()` says what it took; workers beside
the starter's own are Programs (bench.house) with `site.environment`.
"""

from faults.scenario import Scenario

SCENARIOS: list[Scenario] = []
