# Everything a person does with Concord. `make help` lists it.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
PY := $(VENV)/bin/python
PYTEST := $(PY) -m pytest

# Seconds a test may take; a suite of processes on a small machine needs more than a unit test.
E2E_TIMEOUT ?= 900

.PHONY: help
help: ## List every target with what it does
	@awk 'BEGIN {FS = ":.*## "} /^[a-z0-9-]+:.*## / {printf "  \033[36m%-12s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# ---- getting ready ---------------------------------------------------------------------------

.PHONY: setup
setup: ## Make .venv from the lock and install the project into it (again only when the lock changed)
	@deploy/setup.sh $(VENV)

.PHONY: lock
lock: setup ## Resolve the dependencies again and write both lock files
	@$(VENV)/bin/uv pip compile pyproject.toml --universal --python-version 3.11 --upgrade \
		--generate-hashes --no-annotate --no-header --quiet --output-file requirements.lock
	@$(VENV)/bin/uv pip compile pyproject.toml --extra dev --constraint requirements.lock \
		--universal --python-version 3.11 --upgrade \
		--generate-hashes --no-annotate --no-header --quiet --output-file requirements-dev.lock

# ---- the platform on this machine ------------------------------------------------------------

.PHONY: run
run: setup ## Start the platform here, with a portfolio to look at, until Ctrl-C (FRESH=1 forgets earlier data)
	@exec $(PY) -m local up $(if $(FRESH),--fresh)

.PHONY: stop
stop: setup ## Stop the platform that `make run` started
	@$(PY) -m local down

.PHONY: status
status: setup ## Say what of the platform runs, where, and how long
	@$(PY) -m local status

# Of a platform in containers or on a cluster: KEY=.env, the file with the secret of its tokens. Its
# addresses are those of `make run` unless CONCORD_SALES_URL, CONCORD_GATEWAY_URL and so on are set.
TOLD = $(PY) -m local env $(if $(KEY),--key "$(KEY)") --

.PHONY: token
token: setup ## Print a bearer token: make token AS=person-or-role [KEY=.env]
	@test -n "$(AS)" || { echo "usage: make token AS=person-or-role [KEY=.env]" >&2; exit 2; }
	@$(TOLD) $(PY) -m local.token --as "$(AS)"

.PHONY: demo
demo: setup ## Play the made-up company into a platform without one: make demo KEY=.env
	@$(TOLD) $(PY) -m local.demo

.PHONY: import
import: setup ## Take a CRM export of opportunities into Sales: make import FILE=pipeline.csv [KEY=.env]
	@test -n "$(FILE)" || { echo "usage: make import FILE=pipeline.csv [KEY=.env]" >&2; exit 2; }
	@CONCORD_TOKEN=$${CONCORD_TOKEN:-$$($(TOLD) $(PY) -m local.token --as sam)} \
		$(TOLD) $(PY) -m sales.importing "$(FILE)"

.PHONY: rebuild
rebuild: setup ## Delete the gateway's view and fold it again from the topics
	@$(PY) -m local env --of gateway -- $(PY) -m gateway.rebuild

# ---- checking --------------------------------------------------------------------------------

.PHONY: test
test: lint unit ## Check a change: lint, unit, component, end to end, browser, a few faults
	@$(PY) -m local prerequisites --browser
	@$(PYTEST) --ignore=tests/unit -m "not slow and not long" --timeout=$(E2E_TIMEOUT)

.PHONY: test-long
test-long: setup ## Check a change further: services are killed and parts go away under load
	@$(PY) -m local prerequisites --browser
	@$(PYTEST) --ignore=tests/unit -m "long and not slow" --timeout=$(E2E_TIMEOUT)

.PHONY: lint
lint: setup ## Style, formatting, types and the rules for imports
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(PY) -m mypy libs services deploy tests $(wildcard bench)
	@$(VENV)/bin/lint-imports --no-cache

.PHONY: format
format: setup ## Put the code into the project's format and mend what can be mended by itself
	@$(VENV)/bin/ruff check --fix --show-fixes .
	@$(VENV)/bin/ruff format .

.PHONY: unit
unit: setup ## Tests with no I/O
	@$(PYTEST) tests/unit

.PHONY: component
component: setup ## Tests of one part at a time on real Kafka and a real store
	@$(PY) -m local prerequisites
	@$(PYTEST) tests/component --timeout=$(E2E_TIMEOUT)

.PHONY: e2e
e2e: setup ## Tests of the whole platform as processes, in a browser too
	@$(PY) -m local prerequisites --browser
	@$(PYTEST) tests/e2e $(wildcard tests/browser) --timeout=$(E2E_TIMEOUT)

.PHONY: faults
faults: setup ## Kill, stop and starve every part under load with new seeds (SEED=... repeats them)
	@$(PY) -m local prerequisites
	@$(PYTEST) tests/unit --hypothesis-profile=search
	@CONCORD_FAULT_SEED=$(SEED) $(PYTEST) tests/faults --timeout=1800

.PHONY: bench
bench: setup ## Measure, and print each figure beside its ceiling on this machine
	@$(PY) -m local prerequisites
	@$(PY) -m bench

.PHONY: schemas
schemas: setup ## Release the schemas of the events (refuses a change that breaks a reader)
	@$(PY) -m contracts.release

# ---- cleaning --------------------------------------------------------------------------------

.PHONY: clean
clean: ## Throw away the platform's data, logs and jars, the caches, and .venv
	@if [ -x $(PY) ]; then $(PY) -m local down; fi
	@rm -rf .concord $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis build dist
	@find libs services deploy tests bench -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
