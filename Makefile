# Everything a person does with Concord. `make help` lists it.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
PY := $(VENV)/bin/python
PYTEST := $(PY) -m pytest

# Seconds a test may take; a suite of processes on a small machine needs more than a unit test.
E2E_TIMEOUT ?= 900

# `make test T=tests/unit/sales K=competitor`: a part of the tests, by folder or file and by name.
# Variables of the environment with these names have no effect.
ifneq ($(origin T),command line)
T :=
endif
ifneq ($(origin K),command line)
K :=
endif
PART := $(if $(T)$(K),$(or $(T),tests/unit) $(if $(K),-k "$(K)"))

##@ Set up

.PHONY: help
help: ## List every target and what it does
	@awk 'BEGIN {FS = ":.*## "} \
		/^##@ / {printf "\n\033[1m%s\033[0m\n", substr($$0, 5)} \
		/^[a-z0-9-]+:.*## / {printf "  \033[36m%-12s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## Create .venv from the lock file and install the project into it (only if the lock changed)
	@deploy/setup.sh $(VENV)

.PHONY: lock
lock: setup ## Resolve the dependencies again and write both lock files
	@$(VENV)/bin/uv pip compile pyproject.toml --universal --python-version 3.11 --upgrade \
		--generate-hashes --no-annotate --no-header --quiet --output-file requirements.lock
	@$(VENV)/bin/uv pip compile pyproject.toml --extra dev --constraint requirements.lock \
		--universal --python-version 3.11 --upgrade \
		--generate-hashes --no-annotate --no-header --quiet --output-file requirements-dev.lock

##@ Run the platform on this machine

.PHONY: run
run: setup ## Start the platform with demo data until Ctrl-C (FRESH=1 removes earlier data)
	@exec $(PY) -m local up $(if $(FRESH),--fresh)

.PHONY: stop
stop: setup ## Stop the platform that `make run` started
	@$(PY) -m local down

.PHONY: status
status: setup ## Show which processes run, where, and since when
	@$(PY) -m local status

.PHONY: rebuild
rebuild: setup ## Delete the gateway's views and compute them again from the topics
	@$(PY) -m local env --of gateway -- $(PY) -m gateway.rebuild

##@ Use a platform (with KEY=.env: one in containers or on a cluster)

# KEY is the file with the secret of its tokens. Its addresses are those of `make run` unless
# CONCORD_SALES_URL, CONCORD_GATEWAY_URL and so on are set.
TOLD = $(PY) -m local env $(if $(KEY),--key "$(KEY)") --

.PHONY: dev
dev: setup ## Run one service here and restart it on each change: make dev SERVICE=sales
	@test -n "$(SERVICE)" || { echo "usage: make dev SERVICE=sales" >&2; exit 2; }
	@exec $(PY) -m local dev $(SERVICE)

.PHONY: stream
stream: setup ## Print an engagement's commits and events in every service: make stream E=E-...
	@test -n "$(E)" || { echo "usage: make stream E=E-0D5R2K8WQ3V7X" >&2; exit 2; }
	@$(PY) -m local.stream "$(E)"

.PHONY: token
token: setup ## Print a bearer token: make token AS=person-or-role [KEY=.env]
	@test -n "$(AS)" || { echo "usage: make token AS=person-or-role [KEY=.env]" >&2; exit 2; }
	@$(TOLD) $(PY) -m local.token --as "$(AS)"

.PHONY: demo
demo: setup ## Load the demo data into a platform that has none: make demo KEY=.env
	@$(TOLD) $(PY) -m local.demo

.PHONY: import
import: setup ## Import a CRM export: make import FILE=deals.csv|folder [CURRENCY=EUR] [SOURCE=crm] [OPTIONS="--day-order day-first"] [KEY=.env]
	@test -n "$(FILE)" || { echo "usage: make import FILE=deals.csv [CURRENCY=EUR] [KEY=.env]" >&2; exit 2; }
	@CONCORD_TOKEN=$${CONCORD_TOKEN:-$$($(TOLD) $(PY) -m local.token --as sam)} \
		$(TOLD) $(PY) -m sales.importing "$(FILE)" $(if $(CURRENCY),--currency "$(CURRENCY)") \
		$(if $(SOURCE),--source "$(SOURCE)") $(OPTIONS)

.PHONY: take-over
take-over: setup ## Take over engagements under way: make take-over FILE=engagements.json|folder [KEY=.env]
	@test -n "$(FILE)" || { echo "usage: make take-over FILE=engagements.json [KEY=.env]" >&2; exit 2; }
	@CONCORD_TOKEN=$${CONCORD_TOKEN:-$$($(TOLD) $(PY) -m local.token --as importer \
			--roles sales-manager,operator,confidential)} \
		$(TOLD) $(PY) -m local.take_over "$(FILE)" $(if $(CHECK),--check) \
		$(if $(INCOMPLETE),--incomplete)

##@ Check a change

.PHONY: test
test: $(if $(PART),setup,lint unit) ## All checks but the longest; a part without lint: make test T=tests/unit/sales K=competitor
ifdef PART
	@$(if $(filter-out tests/unit%,$(T)),$(PY) -m local prerequisites --browser)
	@$(PYTEST) $(PART) --timeout=$(E2E_TIMEOUT)
else
	@$(PY) -m local prerequisites --browser
	@$(PYTEST) --ignore=tests/unit -m "not slow and not long" --timeout=$(E2E_TIMEOUT)
endif

.PHONY: test-long
test-long: setup ## Tests of ten seconds and more: services are killed and parts fail under load
	@$(PY) -m local prerequisites --browser
	@$(PYTEST) --ignore=tests/unit -m "long and not slow" --timeout=$(E2E_TIMEOUT)

.PHONY: lint
lint: setup ## Check style, formatting, types, import rules, prose and commit subjects
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(PY) -m mypy libs services deploy tests $(wildcard bench)
	@$(VENV)/bin/lint-imports --no-cache
	@$(PY) -m contracts.release --check
	@$(PY) -m checks.prose
	@$(PY) -m checks.commit_subject

.PHONY: format
format: setup ## Format the code and fix what can be fixed automatically
	@$(VENV)/bin/ruff check --fix --show-fixes .
	@$(VENV)/bin/ruff format .
	@$(PY) -m checks.prose --prune

.PHONY: unit
unit: setup ## Tests without I/O, on all cores
	@$(PYTEST) -n auto --dist worksteal tests/unit

.PHONY: component
component: setup ## Tests of one part on real Kafka and a real store
	@$(PY) -m local prerequisites
	@$(PYTEST) tests/component --timeout=$(E2E_TIMEOUT)

.PHONY: e2e
e2e: setup ## Tests of the whole platform as processes, also in a browser
	@$(PY) -m local prerequisites --browser
	@$(PYTEST) tests/e2e $(wildcard tests/browser) --timeout=$(E2E_TIMEOUT)

.PHONY: faults
faults: setup ## Kill, stop and starve each part under load with new seeds (SEED=... repeats them)
	@$(PY) -m local prerequisites
	@$(PYTEST) tests/unit --hypothesis-profile=search
	@CONCORD_FAULT_SEED=$(SEED) $(PYTEST) tests/faults --timeout=1800

.PHONY: bench
bench: setup ## Measure performance, each figure beside its ceiling on this machine
	@$(PY) -m local prerequisites
	@$(PY) -m bench

.PHONY: clients
clients: setup ## Write clients in Python and TypeScript from the OpenAPI documents (TO=folder, by default build/clients)
	@$(PY) -m clients $(or $(TO),build/clients)

.PHONY: schemas
schemas: setup ## Write the schemas of the events (refuses a change that breaks a consumer)
	@$(PY) -m contracts.release

.PHONY: examples
examples: setup ## Write the missing examples of events, from the demo in memory (ALL=1: all)
	@PYTHONPATH=. $(PY) -m tests.unit.examples $(if $(ALL),--all)

##@ Clean up

.PHONY: clean
clean: ## Remove data, logs, jars, caches and .venv
	@if [ -x $(PY) ]; then $(PY) -m local down; fi
	@rm -rf .concord $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis build dist
	@find libs services deploy tests bench -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
