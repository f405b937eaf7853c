# Every target makes what it needs: `make run` and `make test` work in a fresh clone.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CODE := manage.py chatapp conversations tests bench
LOCK := --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --quiet
# The programs that the dependencies are installed for; a change of any of them installs anew.
RUN_STAMP = $(VENV)/installed-$(shell cat requirements.txt | cksum | cut -d' ' -f1)
TEST_STAMP = $(VENV)/installed-$(shell cat requirements-dev.txt | cksum | cut -d' ' -f1)
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r

# Most tests wait for something; each of the three has a database, a provider and a server of its own.
SIDE_BY_SIDE := -n 3 --dist loadfile

.DEFAULT_GOAL := help
.PHONY: help run test test-js test-all test-faults screenshots bench bench-quick lint format messages lock clean

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile

run: $(RUN_STAMP)  ## start the product; Ctrl-C ends it
	@exec $(BIN)/python -m chatapp.server

test: $(TEST_STAMP)  ## all tests, without the long loops of faults; ARGS="…" goes to pytest
	@.ci/programs $(BIN)/python
	@exec $(BIN)/python -m pytest $(SIDE_BY_SIDE) $(ARGS)

test-js: $(TEST_STAMP)  ## the tests of the page's scripts alone
	@exec $(BIN)/python -m pytest -n0 tests/js $(ARGS)

test-all: $(TEST_STAMP)  ## all tests with the long loops of faults, and the figures they measure
	@.ci/programs $(BIN)/python
	@exec $(BIN)/python -m pytest -n0 --long $(ARGS)

test-faults: $(TEST_STAMP)  ## the tests of faults with their long loops, and the figures they measure
	@.ci/programs $(BIN)/python
	@exec $(BIN)/python -m pytest tests/faults --long $(ARGS)

screenshots: $(TEST_STAMP)  ## pictures of every state, into docs/screenshots; ARGS="stopped empty" for some of them
	@.ci/programs $(BIN)/python
	@exec $(BIN)/python -m tests.screenshots $(ARGS)

bench: $(TEST_STAMP)  ## what it costs, against baselines: everything, for an hour and a half; ARGS="cpu stop" for some of it
	@exec $(BIN)/python -m bench $(ARGS)

bench-quick: $(TEST_STAMP)  ## the short form of it: a minute
	@exec $(BIN)/python -m bench --quick $(ARGS)

lint: $(TEST_STAMP)  ## style and types
	@$(BIN)/ruff format --check $(wildcard $(CODE))
	@$(BIN)/ruff check $(wildcard $(CODE))
	@$(BIN)/mypy $(wildcard chatapp conversations tests)

format: $(TEST_STAMP)  ## put the code into the agreed form
	@$(BIN)/ruff check --fix-only --quiet $(wildcard $(CODE))
	@$(BIN)/ruff format $(wildcard $(CODE))

messages: $(TEST_STAMP)  ## gather the sentences to be translated, and compile those that are; needs gettext's programs
	@$(BIN)/python manage.py makemessages --all --extension html,jinja,py,txt --no-location --no-obsolete --ignore=.venv --ignore=var --ignore=tests --ignore=bench
	@$(BIN)/python manage.py compilemessages --ignore=.venv

lock: $(TEST_STAMP)  ## bring the locked dependencies up to date with requirements*.in; ARGS="--upgrade" for newer ones
	@$(BIN)/uv pip compile $(LOCK) $(ARGS) requirements.in -o requirements.txt
	@$(BIN)/uv pip compile $(LOCK) $(ARGS) requirements-dev.in -c requirements.txt -o requirements-dev.txt

clean:  ## remove what make made; the data folder stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) -V 2>&1). Try: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(RUN_STAMP): $(VENV)/bin/python
	@echo "Installing dependencies…"
	@$(INSTALL) requirements.txt
	@touch $@

$(TEST_STAMP): $(VENV)/bin/python
	@echo "Installing dependencies for development…"
	@$(INSTALL) requirements-dev.txt
	@touch $@ $(RUN_STAMP)
