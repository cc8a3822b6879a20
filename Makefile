# Two commands: `make run` tries the site out, `make test` runs all tests. Both need only Python >= 3.11 and a package registry.
#   PORT=8000           where `make run` serves
#   NEWSROOM_DATA=var   where it keeps its data
#   PYTHON=python3.13   which Python makes the environment, if not Linux' own or the first one found

# Nearly every test loads what others have loaded before; so do the many processes they start. Python would compile
# all of it again each time.
unexport PYTHONDONTWRITEBYTECODE

.SILENT:
.PHONY: run test bench lint messages

# Ctrl-C is for main() there, when all is loaded; before, Python would answer it with a traceback.
run:
	trap '' INT; bin/python bin/environment.py requirements.txt
	exec .venv/bin/python -m newsroom.trial

# The suite, then whether anything is lost when something breaks. TESTS="tests/comments -k vote" picks some of the suite, and
# no faults. Four at once on two cores: many wait, for a browser, a worker or a mail.
test:
	bin/python bin/environment.py requirements-dev.txt
	chromium=$$(.venv/bin/python bin/browser.py) && export NEWSROOM_CHROMIUM="$$chromium" && \
	.venv/bin/python -m pytest --numprocesses 4 --dist loadfile --no-loadscope-reorder $(TESTS)
	$(if $(TESTS),,exec .venv/bin/python -m faults --short)

# What the site costs on this machine, in under ten minutes; QUICK=1 for a short look, SIZES="0 100 10000" for other articles.
bench:
	bin/python bin/environment.py requirements.txt
	exec .venv/bin/python -m bench

# What is lost when something breaks: kills, crashes, no database. Half an hour; ARGS=--short takes two minutes.
.PHONY: faults
faults:
	bin/python bin/environment.py requirements.txt
	exec .venv/bin/python -m faults $(ARGS)

# Programs are started as modules: their scripts in .venv/bin carry the path of the folder they were made in.
lint:
	bin/python bin/environment.py requirements-dev.txt
	.venv/bin/python -m ruff check
	.venv/bin/python -m ruff format --check
	.venv/bin/python -c "from importlinter.cli import lint_imports_command as lint; lint()"
	SECRET_KEY=for-this-check-only .venv/bin/python -m newsroom.database .venv/bin/python manage.py makemigrations --check --dry-run

# German is the language of the sources; this brings the English catalogue up to date. Needs gettext.
messages:
	bin/python bin/environment.py requirements-dev.txt
	SECRET_KEY=- .venv/bin/python manage.py makemessages --locale en --no-location --no-obsolete --extension html,txt,py,jinja --ignore .venv --ignore var --ignore tests
	SECRET_KEY=- .venv/bin/python manage.py makemessages --locale en --no-location --no-obsolete --domain djangojs --ignore .venv --ignore var --ignore tests
	SECRET_KEY=- .venv/bin/python manage.py compilemessages --locale en --locale de --ignore .venv
