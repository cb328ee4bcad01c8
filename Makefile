# `make run` and `make test` set everything up themselves; see CONTRIBUTING.md.
#
#   make run  [PORT=8000] [CUSTOMERS=20000] [DATA_DIR=.data]   demonstration book, served
#   make test [PG=15] [BROWSER=install] [OUTSIDE=install] [WORKERS=2] [ARGS="-k word"]
#                                                              the suite and its coverage gates (the whole suite only)
#   make check                                                 lint, types, architecture; edits nothing
#   make fix                                                   what the linters can repair themselves
#   make contract [EXAMPLES=300] [SEED=7]                      a long sweep of the HTTP contract; prints its seed
#   make bench | lock [UPGRADE=--upgrade] | clean

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

PYTHON ?= python3
WORKERS ?= 2
PG ?= embedded
BROWSER ?=
OUTSIDE ?=
ARGS ?=

# Every path is relative to this file, so that `make -C` works and a path may hold spaces.
VENV := .venv
BIN := $(VENV)/bin
# A virtual environment knows its own place by absolute paths: a copied or moved checkout makes its own.
PLACE := $(shell pwd -P | cksum | cut -d ' ' -f 1)
MADE := $(VENV)/.made-$(PLACE)
RUN_READY := $(VENV)/.run-ready-$(PLACE)
DEV_READY := $(VENV)/.dev-ready-$(PLACE)

PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
LOCKED := $(PIP) install --require-hashes --no-deps --only-binary :all:
# Hash mode refuses editable installs, hence a step of its own with the locked build back end.
OURSELVES := $(PIP) install --no-deps --no-build-isolation --editable .

.PHONY: help run test contract check fix lock bench clean prepare-run prepare-dev

help:
	@sed -n 's/^# \{0,1\}//; 1,9p' Makefile

$(MADE):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed; name one with PYTHON=python3.13" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
	  || { echo "This Python cannot make virtual environments: on Debian and Ubuntu run 'apt-get install python3-venv'." >&2; exit 1; }
	@rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(RUN_READY): $(MADE) requirements/build.txt requirements/run.txt pyproject.toml
	$(LOCKED) --requirement requirements/build.txt --requirement requirements/run.txt
	$(OURSELVES)
	@touch $@

$(DEV_READY): $(MADE) requirements/build.txt requirements/dev.txt pyproject.toml
	$(LOCKED) --requirement requirements/build.txt --requirement requirements/dev.txt
	$(OURSELVES)
	@touch $@ $(RUN_READY)

prepare-run: $(RUN_READY)
prepare-dev: $(DEV_READY)

# PORT, CUSTOMERS and DATA_DIR reach the command through the environment.
run: $(RUN_READY)
	@exec $(BIN)/python -m app.cli demo

# Compiled modules are kept in any case: else each of the many processes compiles all of them anew.
test: $(DEV_READY)
	@$(BIN)/coverage erase
	@if [ '$(PG)' != embedded ]; then \
	  export TIERING_TEST_PG_BIN='/usr/lib/postgresql/$(PG)/bin'; \
	  if [ ! -x "$$TIERING_TEST_PG_BIN/initdb" ]; then \
	    if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	      apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq postgresql-$(PG) >/dev/null; \
	    else \
	      echo "No PostgreSQL $(PG) in $$TIERING_TEST_PG_BIN: install Debian's package postgresql-$(PG) as root." >&2; exit 1; \
	    fi; \
	  fi; \
	fi; \
	if [ '$(BROWSER)' = install ] && ! command -v chromium >/dev/null; then \
	  { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && timeout 600 apt-get update -qq \
	    && DEBIAN_FRONTEND=noninteractive timeout 600 apt-get install -y -qq --no-install-recommends chromium >/dev/null; } \
	  || echo "No Chromium was installed; the test in a browser is skipped. As root: apt-get install chromium." >&2; \
	fi; \
	TIERING_TEST_OUTSIDE='$(OUTSIDE)' PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal --inline-snapshot=disable --cov --cov-report= $(ARGS)
ifeq ($(strip $(ARGS)),)
	$(BIN)/coverage report --include='app/domain/*' --fail-under=100
	$(BIN)/coverage report --omit='app/domain/*' --fail-under=90
else
	@echo "Coverage gates are for the whole suite; ARGS picked a part of it."
endif

# A seed is drawn and printed; the same SEED sends the same requests.
EXAMPLES ?= 300
SEED ?= random
contract: $(DEV_READY)
	@TIERING_CONTRACT_EXAMPLES='$(EXAMPLES)' TIERING_CONTRACT_SEED='$(SEED)' \
	  $(BIN)/python -m pytest -s tests/contract/test_schemathesis.py

check: $(DEV_READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/deptry .
	$(BIN)/hadolint Dockerfile
	@! grep -n '://' requirements/*.txt || { echo "A lock file names an address." >&2; exit 1; }

fix: $(DEV_READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(DEV_READY)
	@for script in benchmarks/[a-z]*.py; do \
	  name=$$(basename "$$script" .py); echo "== $$name"; $(BIN)/python -m "benchmarks.$$name"; \
	done

# The development lock is resolved first and the others within it, so that no two disagree.
# A lock for every platform and for the oldest Python we support; no header, so no path and no address.
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
  --no-header --no-annotate
lock: $(DEV_READY)
	$(COMPILE) pyproject.toml --extra embedded --extra dev $(UPGRADE) --output-file requirements/dev.txt
	$(COMPILE) pyproject.toml --extra embedded --constraint requirements/dev.txt --output-file requirements/run.txt
	$(COMPILE) pyproject.toml --constraint requirements/dev.txt --output-file requirements/production.txt
	$(COMPILE) requirements/build.in --constraint requirements/dev.txt $(UPGRADE) --output-file requirements/build.txt

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage .coverage.* htmlcov build dist
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
