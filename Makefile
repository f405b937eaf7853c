# Every target makes what it needs: `make run` and `make test` work in a fresh clone.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CODE := manage.py chatapp conversations tests bench
LOCK := --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --quiet
# A stamp for each set of locked dependencies: when the file changes, they are installed again.
RUN_STAMP = $(VENV)/installed-$(shell cat requirements.txt | cksum | cut -d' ' -f1)
TEST_STAMP = $(VENV)/installed-$(shell cat requirements-dev.txt | cksum | cut -d' ' -f1)
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r

# Most tests wait for something, so three processes share them, each with its own database, provider and server.
PARALLEL := -n 3 --dist loadfile

.DEFAULT_GOAL := help
.PHONY: help run test test-js test-all test-faults screenshots bench bench-quick lint format messages lock clean

help:  ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile

run: $(RUN_STAMP)  ## start the product; Ctrl-C stops it
	@exec $(BIN)/python -m chatapp.server

test: $(TEST_STAMP)  ## all tests but the long loops; one folder: ARGS="tests/chat", one test: ARGS="-k stop -n0"
	@.ci/programs $(BIN)/python
	@exec $(BIN)/python -m pytest $(PARALLEL) $(ARGS)

test-js: $(TEST_STAMP)  ## only the tests of the page's scripts
	@exec $(BIN)/python -m pytest -n0 tests/js $(ARGS)

test-all: $(TEST_STAMP)  ## all tests with the long loops of the fault tests, and what they measure
	@.ci/programs $(BIN)/python
	@exec $(BIN)/python -m pytest -n0 --long $(ARGS)

test-faults: $(TEST_STAMP)  ## only the fault tests, with their long loops and what they measure
	@.ci/programs $(BIN)/python
	@exec $(BIN)/python -m pytest tests/faults --long $(ARGS)

screenshots: $(TEST_STAMP)  ## pictures of every state, into docs/screenshots; only some: ARGS="stopped empty"
	@.ci/programs $(BIN)/python
	@exec $(BIN)/python -m tests.screenshots $(ARGS)

bench: $(TEST_STAMP)  ## all benchmarks against baselines, an hour and a half; only some: ARGS="cpu memory"
	@exec $(BIN)/python -m bench $(ARGS)

bench-quick: $(TEST_STAMP)  ## short benchmarks, about a minute
	@exec $(BIN)/python -m bench --quick $(ARGS)

lint: $(TEST_STAMP)  ## check style, types and imports
	@$(BIN)/ruff format --check $(wildcard $(CODE))
	@$(BIN)/ruff check $(wildcard $(CODE))
	@$(BIN)/mypy $(wildcard chatapp conversations tests)
	@$(BIN)/lint-imports --no-cache

format: $(TEST_STAMP)  ## format the code
	@$(BIN)/ruff check --fix-only --quiet $(wildcard $(CODE))
	@$(BIN)/ruff format $(wildcard $(CODE))

messages: $(TEST_STAMP)  ## update and compile the translations; needs the gettext tools
	@$(BIN)/python manage.py makemessages --all --extension html,jinja,py,txt --no-location --no-obsolete --ignore=.venv --ignore=var --ignore=tests --ignore=bench
	@$(BIN)/python manage.py compilemessages --ignore=.venv

lock: $(TEST_STAMP)  ## lock what requirements*.in declare; newer versions: ARGS="--upgrade"
	@$(BIN)/uv pip compile $(LOCK) $(ARGS) requirements.in -o requirements.txt
	@$(BIN)/uv pip compile $(LOCK) $(ARGS) requirements-dev.in -c requirements.txt -o requirements-dev.txt

clean:  ## remove what make created; keeps the data folder
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
