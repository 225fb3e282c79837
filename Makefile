# Every target installs what it needs; `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
# Without compiled modules every process of ours compiles thousands of files as it starts: seconds each, of hundreds.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
KQL := tests/support/kql
PACKAGES := agents conntrail runtime schemas streams
DURATION ?= 45
KEEP ?= 0
ONLY ?=
TESTS ?= tests
# One process for tests of the whole system, another for all else; more than two only crowd them.
JOBS ?= $(shell [ "$$(nproc)" -ge 2 ] && echo 2 || echo 1)
# Only where namespaces can be made: elsewhere no test that needs one runs, or one process has all that do.
ISOLATED = $(shell unshare --mount --pid --fork --mount-proc true 2>/dev/null && echo yes)
PROCESSES = $(if $(ISOLATED),--tx '$(JOBS)*popen//python=tests/support/isolated/python',-n $(JOBS))

LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

.PHONY: help setup fmt lint layers types check test bench demo images lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

setup: $(INSTALLED) ## install everything that tests and demo need: Python packages, nftables, Java, Kafka, Elasticsearch, Kibana's parser
	@deploy/setup/system-packages.sh
	@$(BIN)/conntrail local fetch
	@cd $(KQL) && { [ node_modules/.package-lock.json -nt package-lock.json ] || \
	  { npm ci --silent --ignore-scripts --no-audit --no-fund && touch node_modules/.package-lock.json; }; }

$(INSTALLED): locks/dev.txt locks/uv.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; name one with: make PYTHON=python3.12 …" >&2; exit 1; }
	@echo "installing Python packages into $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --require-hashes -r locks/uv.txt
	@$(BIN)/uv pip sync --quiet --compile-bytecode --require-hashes --python $(BIN)/python locks/uv.txt locks/dev.txt
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

test: setup ## every test: unit, kernel, integration, system, in two processes; JOBS=1 runs one
	@$(BIN)/python -m pytest $(if $(filter-out 1,$(JOBS)),$(PROCESSES) --dist loadscope --no-loadscope-reorder) $(TESTS)

bench: setup ## measure, as ratios against a peer; ONLY=NAME runs one
	@$(BIN)/python -m tests.bench $(ONLY)

demo: setup ## the whole system on real traffic; DURATION=30 shortens it, KEEP=1 leaves it running
	@$(BIN)/conntrail demo --duration $(DURATION) $(if $(filter 1,$(KEEP)),--keep)

images: ## build the images of node, cluster and streams; BASE=debian, or PYTHON_IMAGE names the base with its digest
	@deploy/images/build.sh

lock: $(INSTALLED) ## renew the locked dependencies
	@$(LOCK) --extra local --group dev pyproject.toml -o locks/dev.txt
	@$(LOCK) pyproject.toml -o locks/node.txt
	@$(LOCK) --extra cluster pyproject.toml -o locks/cluster.txt
	@$(LOCK) --extra streams pyproject.toml -o locks/streams.txt
	@echo 'setuptools>=77' | $(LOCK) - -o locks/build.txt
	@echo 'uv' | $(LOCK) - -o locks/uv.txt

clean: ## remove what was built and installed here
	rm -rf $(VENV) $(KQL)/node_modules build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
