"""`make faults`: what is broken on purpose, and whether anything was lost by it (REQUIREMENTS E).

Starts the whole site as `make run` does, in a throwaway folder, lets readers write, and kills, crashes and takes away
what stands beneath them. Nothing that was acknowledged may be missing afterwards, and everyone is told once. Not asked
is what only a power cut shows: a crash here takes the processes and their memory, not what the system was given.

    make faults                     # all of it, with as many loops as the requirements say
    make faults ARGS=--short        # about two minutes: the same with few loops
    make faults ARGS="--only E1,E7 --seed 42"

The exit code is 1 if anything fails; the very last line is one JSON object, for programs. The site imports nothing
from here.

    ledger.py     what was acknowledged: a file, synced to the disk line by line
    smtp.py       a mail server that does as it is told, and logs what it took
    starter.py    `make run`, with its mails going to that server, and a worker that steps aside
    site.py       starts the site; kills and crashes parts of it
    client.py     somebody who fills in a form, and sends it as often as it takes
    crowd.py      several of them at once, until they are told to stop
    pages.py      what a page must be when something is broken
    oracle.py     ledger and log against the database
    scenario.py   what a scenario is given, and what it returns
    posting.py    E6 to E9: calm faults around one form
    crashes.py    E1 to E3, E10: kills and crashes under load
    workers.py    mail workers of our own, to be started and killed
    owed.py       who is owed which mail, against the mail server's log
    mailing.py    E13 to E16, E19: mail servers that refuse or fall silent, readers who change their minds
    deaths.py     E11, E12, E20a: workers that die, and workers that are many
    restoring.py  E20b: yesterday's dump
    controls.py   K1, K2: a mail lost and a mail doubled on purpose, and whether it is noticed
    report.py     the table and the line of JSON
"""
