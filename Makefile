# Everything one does with this project. A fresh machine needs Python 3.11+, make, a C linker and cargo.
# `make` alone lists the targets.

PYTHON ?= python3
CARGO  ?= cargo
ARGS   ?=
CASES  ?= 5000
CONFORMANCE ?= ../shared/conformance/promql
BIN    := .venv/bin
CORE   := --manifest-path core/Cargo.toml --locked
SAME   := PROPTEST_RNG_SEED=1  # the same examples each time, so that what fails is what has changed; `make fuzz` tries others

# A stamp says that a step is done; it is older than what the step depends on when it has to be done again.
TOOLS := .venv/.tools
TEST  := .venv/.test
CHECK := .venv/.check
BUILT := .venv/.built
RUST  := $(shell find core -name target -prune -o \( -name '*.rs' -o -name 'Cargo.*' \) -print)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help venv demo test check conformance interop ui crash soak fuzz bench run docs fmt clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

venv: $(BUILT) $(TEST) $(CHECK) ## Build the core and install everything into .venv

demo: $(BUILT) ## Watch jobs push through a bridge into InfluxDB, for half a minute
	$(BIN)/python -m bridge demo $(ARGS)

test: $(BUILT) $(TEST) ## All tests that need no other server
	$(SAME) $(CARGO) test $(CORE) --quiet --package engine
	$(BIN)/pytest $(ARGS)

check: $(BUILT) $(TEST) $(CHECK) ## Formats, lints, types, floors, the core's stub, the core's tests
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m mypy.stubtest bridge._core
	$(CARGO) fmt --manifest-path core/Cargo.toml --all --check
	$(CARGO) clippy $(CORE) --workspace --all-targets --quiet -- -D warnings
	$(SAME) $(CARGO) test $(CORE) --quiet --package engine

conformance: $(BUILT) $(TEST) ## PromQL by Prometheus' own tests; CONFORMANCE=DIR has its *.test files
	$(BIN)/python -m tests.promql $(CONFORMANCE)/*.test

interop: $(BUILT) $(TEST) ## Tests against real peers on PATH; ARGS=--require-peers fails when one is missing
	$(BIN)/pytest -m interop $(ARGS)

ui: $(BUILT) $(TEST) ## The page in a real browser, chromium on PATH
	$(BIN)/pip install --quiet --group ui
	$(BIN)/pytest -m ui $(ARGS)

crash: $(BUILT) $(TEST) ## Long crash sweeps
	HYPOTHESIS_PROFILE=slow $(BIN)/pytest -m crash --timeout 3600 $(ARGS)

soak: $(BUILT) $(TEST) ## Days of a store's life against a model, 20 minutes; ARGS="--minutes 240 --seed 7"
	$(BIN)/python -m tests.soak.run $(ARGS)

fuzz: $(TOOLS) ## Readers of index, chunks, log and head chunks against damage; CASES=100000 for longer
	PROPTEST_CASES=$(CASES) $(CARGO) test $(CORE) --quiet --package engine --lib -- chunk:: block:: head_chunks::
	PROPTEST_CASES=$(CASES) $(CARGO) test $(CORE) --quiet --package engine --test wal --test block

bench: $(BUILT) $(TEST) ## Figures for docs/benchmarks.md, in one run with the peers on PATH
	$(BIN)/python -m bench.push $(ARGS)
	$(BIN)/python -m bench.forward $(ARGS)
	$(BIN)/python -m bench.sender
	$(BIN)/python -m bench.remote_write
	$(BIN)/python -m bench.otlp
	$(BIN)/python -m bench.engine --compression snappy
	$(BIN)/python -m bench.select --dump
	$(BIN)/python -m bench.promql
	$(BIN)/python -m bench.query
	$(BIN)/python -m bench.growth
	$(BIN)/python -m bench.compact

run: $(BUILT) ## A bridge on port 9091, data in ./data; ARGS="--config bridge.yml"
	$(BIN)/python -m bridge serve $(ARGS)

docs: $(BUILT) ## Renew the generated parts of docs/
	$(BIN)/python -m bridge.config.reference docs/configuration.md

fmt: $(CHECK) ## Format all code
	$(BIN)/ruff check --fix --quiet
	$(BIN)/ruff format
	$(CARGO) fmt --manifest-path core/Cargo.toml --all

clean: ## Remove all that was built
	rm -rf .venv core/target dist bridge/_core*.so .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

# Dependency groups need pip 25.1; a new venv has whatever came with Python.
$(TOOLS): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or later is needed: make PYTHON=python3.x" if sys.version_info < (3, 11) else 0)'
	@command -v $(CARGO) >/dev/null || { echo "cargo is needed: https://rustup.rs"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/pip install --quiet --group build
	@touch $@

$(BUILT): $(TOOLS) $(RUST)
	. $(BIN)/activate && maturin develop --release --quiet
	@touch $@

$(TEST): $(TOOLS)
	$(BIN)/pip install --quiet --group test
	@touch $@

$(CHECK): $(TOOLS)
	$(BIN)/pip install --quiet --group check
	@touch $@
