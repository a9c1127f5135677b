# Everything a newcomer or a contributor types. `make help` lists it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq
CLIENTS := .clients
POLAR_OLD := 0.16.11 0.32.0
METER_OLD := 0.1.0 0.2.0 0.3.0 0.4.0 0.5.0 0.6.0 0.7.0 0.7.1 0.7.2
DATA ?= .data
PORT ?= 8000
URL ?=
ASK ?=
KILLS ?= 50

.DEFAULT_GOAL := help
.PHONY: help install install-dev chromium run test lint format bench soak docs lock clean

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

$(CLIENTS)/polar-%/.installed: requirements/client-polar-%.txt | $(BIN)/python
	@$(PIP) install --require-hashes --target $(CLIENTS)/polar-$* --upgrade -r $<
	@touch $@

# These need what the newest release needs, which the environment has.
$(CLIENTS)/meter-%/.installed: requirements/client-meter-%.txt | $(BIN)/python
	@$(PIP) install --require-hashes --no-deps --target $(CLIENTS)/meter-$* --upgrade -r $<
	@touch $@

install: $(VENV)/.installed ## Make .venv with the locked dependencies

install-dev: $(VENV)/.installed-dev $(POLAR_OLD:%=$(CLIENTS)/polar-%/.installed) \
	$(METER_OLD:%=$(CLIENTS)/meter-%/.installed) chromium

chromium: # The browser tests need one; this step never fails, they do
	@$(BIN)/python -c 'from meterhouse.platform.browser import find_browser; import os; find_browser(os.environ.get("METERHOUSE_BROWSER", ""))' 2>/dev/null \
	|| { command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] && echo "Installing Chromium for the browser tests …" \
	&& apt-get update -qq && apt-get install -y -qq chromium >/dev/null; } \
	|| echo "No Chromium was found. The browser tests will fail until there is one: install Chromium (on Debian, as root: apt-get install chromium), or set METERHOUSE_BROWSER to its path."

run: install ## Start the server and walk through a first result (URL=… ASK="…" for your own page)
	@$(BIN)/meterhouse up --data $(DATA) --port $(PORT) --tour $(if $(URL),--tour-url '$(URL)') $(if $(ASK),--tour-ask '$(ASK)')

test: install-dev lint ## Lint and run all tests
	@$(MAKE) --no-print-directory -j3 --output-sync test-wire test-engines test-server

# Three parts side by side, because tests wait more than they compute. The wire tier stays in one process: what
# its clients do is recorded as a whole.
ENGINE_TESTS := $(addprefix tests/integration/,apis browser console eventstore extraction fetch)
SERVER_TESTS := $(filter-out $(ENGINE_TESTS),$(patsubst %/,%,$(wildcard tests/integration/*/)))
PYTEST = $(BIN)/python -m pytest --basetemp="$$(mktemp -d)/t"

test-wire:
	@$(PYTEST) tests/wire

test-engines:
	@$(PYTEST) $(ENGINE_TESTS) tests/unit

test-server:
	@$(PYTEST) $(filter-out %__pycache__,$(SERVER_TESTS)) tests/sdk

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

soak: install-dev ## Kill a loaded server KILLS (50) times, and look for anything lost or done twice
	@$(BIN)/python -m tests.faults $(KILLS)

docs: install-dev ## Rewrite the generated pages of docs/
	@$(BIN)/python -m tests.generate_docs

lock: ## Rewrite the lock files (needs uv)
	@requirements/lock.sh

clean: ## Remove environments and caches, never data
	@rm -rf $(VENV) $(CLIENTS) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
