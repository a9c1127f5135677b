# Everything a newcomer or a contributor types. `make help` lists it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq
CLIENTS := .clients
CLIENT_RELEASES := $(shell sed -n 's/^\([a-z]*\)-sdk==\([^ ]*\).*/\1-\2/p' requirements/clients-meter.txt requirements/clients-polar.txt)
DATA ?= .data
PORT ?= 8000
URL ?=
ASK ?=
KILLS ?= 50

.DEFAULT_GOAL := help
.PHONY: help install install-dev clients chromium run test lint format bench soak docs lock clean

help: ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Meterhouse needs Python 3.11 or later; found $$($(PYTHON) -V). Name another one: make PYTHON=python3.12 …"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "Could not make $(VENV); on Debian: apt-get install python3-venv"; exit 1; }

$(VENV)/.installed: requirements/run.txt pyproject.toml | $(BIN)/python
	@echo "Installing dependencies into $(VENV) (a minute or two the first time) …"
	@$(PIP) install --require-hashes -r requirements/run.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.installed-dev: requirements/dev.txt $(VENV)/.installed
	@$(PIP) install --require-hashes -r requirements/dev.txt
	@touch $@

# Releases of clients that cannot share an environment with the newest one. Each has a folder of its own with only itself
# in it: what they need is in the environment anyway, and the little that is not, in one folder for all.
$(CLIENTS)/shared/.installed: requirements/clients-shared.txt | $(BIN)/python
	@rm -rf $(@D)
	@$(PIP) install --require-hashes --no-deps --no-compile --target $(@D) -r $<
	@touch $@

define client_releases
$(CLIENTS)/$(1)-%/.installed: requirements/clients-$(1).txt | $(BIN)/python
	@rm -rf $$(@D) && mkdir -p $$(@D)
	@grep -F '$(1)-sdk==$$* ' $$< > $$(@D)/requirement.txt
	@$(PIP) install --require-hashes --no-deps --no-compile --target $$(@D) -r $$(@D)/requirement.txt
	@touch $$@
endef
$(eval $(call client_releases,meter))
$(eval $(call client_releases,polar))

install: $(VENV)/.installed ## Make .venv with the locked dependencies

install-dev: $(VENV)/.installed-dev chromium
	@$(MAKE) --no-print-directory -j4 clients

clients: $(CLIENTS)/shared/.installed $(CLIENT_RELEASES:%=$(CLIENTS)/%/.installed)

chromium: # The browser tests need one; this step never fails, they do
	@$(BIN)/python -c 'from meterhouse.platform.browser import find_browser; import os; find_browser(os.environ.get("METERHOUSE_BROWSER", ""))' 2>/dev/null \
	|| { command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] && echo "Installing Chromium for the browser tests …" \
	&& apt-get update -qq && apt-get install -y -qq chromium >/dev/null; } \
	|| echo "No Chromium was found. The browser tests will fail until there is one: install Chromium (on Debian, as root: apt-get install chromium), or set METERHOUSE_BROWSER to its path."

run: install ## Start the server and walk through a first result (URL=… ASK="…" for your own page)
	@$(BIN)/meterhouse up --data $(DATA) --port $(PORT) --tour $(if $(URL),--tour-url '$(URL)') $(if $(ASK),--tour-ask '$(ASK)')

test: install-dev ## Lint and run all tests
	@rm -rf $(RECORDINGS)
	@$(BIN)/python -m compileall -q src sdk
	@$(MAKE) --no-print-directory -j7 --output-sync lint test-usage test-rest test-engines test-units test-contexts test-server
	@$(PYTEST) tests/wire/test_conformance.py

# The linters and six parts side by side, because tests wait more than they compute. What clients did in both parts of
# the wire tier is recorded, and looked back on at the end. Hundreds of processes are started, some of which may not keep
# what they compile, so that is done once before.
RECORDINGS := $(VENV)/recordings
WIRE_USAGE_TESTS := $(wildcard tests/wire/test_polar_*.py tests/wire/test_openmeter_*.py)
WIRE_REST_TESTS := $(filter-out $(WIRE_USAGE_TESTS) tests/wire/test_conformance.py,$(wildcard tests/wire/test_*.py))
FAILURE_TESTS := tests/integration/eventstore/test_failures.py
OWNER_TESTS := tests/integration/eventstore/test_all_owners.py
ENGINE_TESTS := $(filter-out $(FAILURE_TESTS) $(OWNER_TESTS),$(wildcard tests/integration/eventstore/test_*.py))
SHORT_TESTS := $(addprefix tests/integration/,apis browser console extraction fetch)
CONTEXT_TESTS := $(filter-out $(SHORT_TESTS) %/eventstore %/server %__pycache__,$(patsubst %/,%,$(wildcard tests/integration/*/)))
PYTEST = METERHOUSE_RECORDINGS=$(RECORDINGS) $(BIN)/python -m pytest --basetemp="$$(mktemp -d)/t"

test-usage:
	@$(PYTEST) $(WIRE_USAGE_TESTS) $(OWNER_TESTS)

test-rest:
	@$(PYTEST) $(WIRE_REST_TESTS)

test-engines:
	@$(PYTEST) $(ENGINE_TESTS)

test-units:
	@$(PYTEST) tests/unit $(SHORT_TESTS) $(FAILURE_TESTS)

test-contexts:
	@$(PYTEST) $(CONTEXT_TESTS)

test-server:
	@$(PYTEST) tests/integration/server tests/sdk

lint: install-dev ## Formatter, linter, type checker, import directions
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/mypy --no-error-summary --config-file sdk/pyproject.toml
	@PYTHONPATH=src $(BIN)/lint-imports --no-logo > $(VENV)/imports.log 2>&1 || { cat $(VENV)/imports.log; exit 1; }

format: install-dev ## Rewrite the sources in the house format
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --fix --quiet .

bench: install-dev ## Print the benchmark tables (BENCH="--quick" for a short run)
	@$(BIN)/python -m bench $(BENCH)
	@$(BIN)/python -m bench.sdk $(BENCH)

soak: install-dev ## Ten minutes of ingest and questions, then KILLS (50) kills of a loaded server: is anything lost or done twice?
	@$(BIN)/python -m bench.soak $(SOAK)
	@$(BIN)/python -m tests.faults $(KILLS)

docs: install-dev ## Rewrite the generated pages of docs/
	@$(BIN)/python -m tests.generate_docs

lock: ## Rewrite the lock files (needs uv)
	@requirements/lock.sh

clean: ## Remove environments and caches, never data
	@rm -rf $(VENV) $(CLIENTS) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
