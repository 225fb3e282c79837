# Every target installs what it needs; `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
PACKAGES := agents conntrail runtime schemas streams
DURATION ?= 45
KEEP ?= 0
ONLY ?=
TESTS ?= tests
# Two or three take half the time where cores are to spare; a crowded machine delays packets that system tests wait for.
JOBS ?= 1

.PHONY: help setup fmt lint layers types check test bench demo images lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

setup: $(INSTALLED) ## install everything that tests and demo need: Python packages, nftables, Java, Kafka, Elasticsearch
	@deploy/setup/system-packages.sh
	@$(BIN)/conntrail local fetch

$(INSTALLED): locks/dev.txt locks/uv.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; name one with: make PYTHON=python3.12 …" >&2; exit 1; }
	@echo "installing Python packages into $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --require-hashes -r locks/uv.txt
	@$(BIN)/uv pip sync --quiet --require-hashes --python $(BIN)/python locks/uv.txt locks/dev.txt
	@$(BIN)/uv pip install --quiet --no-deps --no-build-isolation --python $(BIN)/python -e .
	@touch $@

fmt: $(INSTALLED) ## format the code
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix --quiet .

lint: $(INSTALLED) types layers ## format, ruff, types and layers are in order
	@$(BIN)/ruff format --check . && $(BIN)/ruff check .

types: $(INSTALLED)
	@$(BIN)/mypy

layers: $(INSTALLED)
	@$(BIN)/lint-imports

check: lint ## what to run before a commit: lint, types, layers, unit tests
	@$(BIN)/python -m pytest tests/unit

test: setup ## every test: unit, kernel, integration, system; JOBS=3 runs three processes
	@$(BIN)/python -m pytest $(if $(filter-out 1,$(JOBS)),-n $(JOBS) --dist loadscope --no-loadscope-reorder) $(TESTS)

bench: setup ## measure, as ratios against a peer; ONLY=NAME runs one
	@$(BIN)/python -m tests.bench $(ONLY)

demo: setup ## the whole system on real traffic; DURATION=30 shortens it, KEEP=1 leaves it running
	@$(BIN)/conntrail demo --duration $(DURATION) $(if $(filter 1,$(KEEP)),--keep)

lock: $(INSTALLED) ## renew the locked dependencies
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --extra local --group dev pyproject.toml -o locks/dev.txt
	@echo 'uv' | $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header - -o locks/uv.txt

clean: ## remove what was built and installed here
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
