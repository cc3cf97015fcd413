# Everything that is done with this work tree. Needs Python 3.11 or newer and make; the rest is installed into .venv.
# Variables: PYTHON (which Python makes .venv), ARGS (passed on, as in `make demo ARGS=--once`, `make test ARGS="-k dsl"`).

SHELL := /bin/sh
.DEFAULT_GOAL := help
.SUFFIXES:

PYTHON ?= $(shell for each in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$each -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$each && break; done)
BIN := .venv/bin
ARGS ?=

.PHONY: help env demo-env python format lint types page page-test test conformance differential bench docs demo argo locks

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

env: python ## Make .venv with Penstock and all development tools
	@$(PYTHON) tools/env.py dev

format: env ## Format the Python sources
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format .

lint: env ## Check style, format and the import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: env ## Check types (mypy strict; the page's TypeScript)
	$(BIN)/mypy
	@$(BIN)/python tools/page.py run types

page: python ## Build the web page into the package
	@test -x $(BIN)/python || $(PYTHON) tools/env.py demo
	@$(BIN)/python tools/page.py build

test: env page page-test ## Run all tests, the page's too (ARGS goes to pytest)
	$(BIN)/python -m pytest -n auto --dist loadfile $(ARGS)

conformance: env ## Run every document of ../shared/conformance as processes and as containers
	PENSTOCK_CONFORMANCE=1 $(BIN)/python -m pytest tests/conformance $(ARGS)

differential: env ## Compare with kfp 1.8.22 what is made of our pipelines and of 2,000 made-up ones
	$(BIN)/python -m pytest tests/differential --generated 2000 $(ARGS)

bench: env page ## Measure, and write the table of docs/explanation/performance.md
	$(BIN)/python -m benchmarks $(ARGS)

soak: env ## Run the crash tests for long, from where they stopped (ARGS=--again starts anew)
	$(BIN)/python -m tools.soak $(ARGS)

docs: env ## Build the documentation into site/
	@$(PYTHON) tools/env.py docs
	$(BIN)/zensical build --strict --clean

demo: demo-env page ## Start Penstock and run the example pipelines (ARGS=--once ends after them)
	@$(BIN)/penstock demo --home .demo $(ARGS)

argo: env ## Submit every example to a real Argo, where its programs lie
	$(BIN)/python -m tools.argo $(ARGS)

locks: env ## Resolve requirements/*.txt anew (ARGS=--upgrade for the newest versions)
	@$(BIN)/python tools/locks.py $(ARGS)

demo-env: python
	@$(PYTHON) tools/env.py demo

page-test: env
	@$(BIN)/python tools/page.py run test

python:
	@test -n "$(PYTHON)" || { echo "Error: no Python 3.11 or newer on PATH; install one (apt install python3 python3-venv), or name it: make PYTHON=/path/to/python3" >&2; exit 1; }
