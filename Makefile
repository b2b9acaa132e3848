# Everything that people and continuous integration run. `make` alone lists it.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# The system's own Python where it is new enough: others are often built without optimization.
PYTHON ?= $(shell /usr/bin/python3 -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null && echo /usr/bin/python3 || echo python3)
VENV := .venv
TOOLS := $(VENV)/.ready
PACKAGING := $(VENV)/.ready-to-package
SECOND_OPINION := node_modules/.ready
ARCHITECTURE ?= arm64
SEED ?= 1
# How many sandboxes are tested side by side: tests wait more than they work.
ABREAST ?= 3

# Clippy is the compiler: whatever is built is linted, and nothing is compiled only to be linted.
export RUSTC_WORKSPACE_WRAPPER := clippy-driver
# Linters and clients ask for a Region even where nothing is called.
export AWS_DEFAULT_REGION ?= eu-central-1
export SAM_CLI_TELEMETRY := 0
export PIP_DISABLE_PIP_VERSION_CHECK := 1

TEMPLATES := infra/template.yaml $(wildcard infra/accounts/*.yaml) $(wildcard infra/stacksets/*.yaml) $(wildcard infra/hooks/*/*.yaml)

help: ## Lists what can be made.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-10s %s\n", $$1, $$2 }'

setup: $(TOOLS) $(SECOND_OPINION) ## Installs what development needs, into this folder.

$(TOOLS): tests/requirements.txt
	$(PYTHON) -m venv $(VENV)
	# Most of what is installed is never imported: what is, is compiled then.
	$(VENV)/bin/pip install --quiet --no-compile --requirement $<
	@touch $@

$(PACKAGING): infra/requirements-package.txt $(TOOLS)
	$(VENV)/bin/pip install --quiet --requirement $<
	@touch $@

$(SECOND_OPINION): package-lock.json
	npm ci --silent
	@touch $@

build: ## Builds every program, for this machine.
	cargo build --workspace --quiet

demo: $(TOOLS) build ## Vends four accounts of two landing zones in a sandbox on this machine.
	target/debug/landfall demo

sandbox: $(TOOLS) build ## Starts an AWS Organization on this machine and prints what a shell needs to reach it.
	target/debug/landfall sandbox up

test: setup build ## Runs every test, a sample of the fault sweep included.
	if cargo nextest --version > /dev/null 2>&1; then cargo nextest run --workspace; else cargo test --workspace --quiet; fi
	$(VENV)/bin/python -m pytest -m "not alone" --numprocesses=$(ABREAST) --dist=loadfile
	$(VENV)/bin/python -m pytest -m alone

sweep: setup build ## Tries every fault at every point. SEED=n draws; GO_ON=1 leaves out what has passed.
	$(VENV)/bin/python -m tests.faults.sweep --all --seed=$(SEED) $(if $(GO_ON),--go-on)

rush: setup build ## Vends sixty tenants at once with three seeds; `make test` does with one.
	$(VENV)/bin/python -m pytest tests/acceptance/test_rush.py --seeds=3

closures: setup build ## Deletes three hundred tenants at once; `make test` does with a dozen.
	$(VENV)/bin/python -m pytest tests/acceptance/test_closures.py --closures=300

year: setup build ## Lives a year with two hundred tenants, strangers, faults and lost events. SEED=n draws.
	$(VENV)/bin/python -m tests.year --seed=$(SEED)

check: linted setup ## Formats, lints, licences, templates, policies.
	$(VENV)/bin/python tests/check/licences.py
	if cargo deny --version > /dev/null 2>&1; then cargo deny --log-level error check; fi
	$(VENV)/bin/ruff check --quiet
	$(VENV)/bin/ruff format --quiet --check
	$(VENV)/bin/cfn-lint $(TEMPLATES)
	$(VENV)/bin/sam validate --lint --template infra/template.yaml
	$(VENV)/bin/python tests/check/policies.py

linted:
	cargo fmt --all --check
	said=$$(cargo build --workspace --all-targets --quiet 2>&1) && [ -z "$$said" ] || { echo "$$said"; exit 1; }

fmt: $(TOOLS) ## Formats everything.
	cargo fmt --all
	$(VENV)/bin/ruff check --quiet --fix
	$(VENV)/bin/ruff format --quiet

policies: ## Writes infra/policies and the templates' statements from what the steps declare.
	cargo run --quiet --bin landfall-policies

package: $(PACKAGING) ## Builds what `sam deploy` takes. ARCHITECTURE=arm64 or x86_64.
	env -u RUSTC_WORKSPACE_WRAPPER PATH="$(CURDIR)/$(VENV)/bin:$$PATH" sam build --parameter-overrides Architecture=$(ARCHITECTURE)

clean: ## Removes what was built and installed here.
	rm -rf target $(VENV) node_modules .aws-sam .sandbox

.PHONY: help setup build demo sandbox test sweep rush closures year check linted fmt policies package clean
