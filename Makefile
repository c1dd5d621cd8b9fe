# Each target sets up what it needs; `make help` lists them.

VENV   ?= .venv
PYTHON ?= python3.11 python3 python3.13 python3.12
PORT   ?= 8080
ARGS   ?=
COVER  ?= --cov --cov-fail-under=100
# Tests that wait for nothing, so that they can run side by side on all cores.  What `sse_core`,
# `sse_http` and `sse_io` decide is covered by the first three alone; to measure it takes half as long again.
UNITS  := tests/core tests/http tests/io
PURE   := $(UNITS) $(wildcard tests/vectors tests/acceptance tests/simulation)
# Tests that look at the clock, and so want a core each.  All others wait for browsers and programs most of
# their time, so that twice as many as there are cores get on together.
TIMED  := $(wildcard tests/bindings tests/proxies tests/relay/e2e tests/test_load.py)
FUZZ_SECONDS ?= 60
SEEDS  ?= 20000
JOBS   ?= $(shell getconf _NPROCESSORS_ONLN)

BIN     := $(VENV)/bin
STAMP   := $(VENV)/.ready
RUNS    := $(VENV)/.runs
BENCH   := $(VENV)-bench
NODE    := tests/acceptance/node
SOURCES := sse_core bindings sse_relay tests conformance $(wildcard bench fuzz docs/*.py examples/*.py examples/*/*.py)

.DEFAULT_GOAL := help
.PHONY: help setup demo test check types compiled bench load fuzz scenarios servers simulate mutants conformance docs clean

help: ## list the targets
	@grep -E '^[a-z]+:.*## ' Makefile | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 20
	@echo "Variables, for instance: PORT=8080  ARGS='-k decoder'  PYTHON=python3.13 VENV=.venv-3.13  FUZZ_SECONDS=60  SEEDS=20000  JOBS=2"

$(STAMP): pyproject.toml scripts/make-venv
	scripts/make-venv $(VENV) $(PYTHON)
	@touch $(RUNS) $@

# What the program needs to run is a tenth of what its tests need.
$(RUNS): pyproject.toml scripts/make-venv
	EXTRA=relay scripts/make-venv $(VENV) $(PYTHON)
	@touch $@

setup: $(STAMP) ## put the project and its tools into .venv, and what tests need of npm beside them
	@scripts/node-packages $(NODE)
	@echo "$(VENV) is ready."

demo: $(RUNS) ## run the simulated provider, the relay and the page
	$(BIN)/sse-relay demo --port $(PORT)

# Without bytecode each process would compile all anew, and pytest rewrite five hundred files of tests.
test mutants: export PYTHONDONTWRITEBYTECODE =

test: $(STAMP) ## run all tests
	@scripts/system-packages nginx tinyproxy chromium-headless-shell/chromium node npm curl
	@scripts/node-packages $(NODE)
ifdef ARGS
	$(BIN)/python -m pytest $(ARGS)
else
	$(BIN)/python -m pytest $(UNITS) -n auto $(COVER)
	$(BIN)/python -m pytest $(filter-out $(UNITS),$(PURE)) -n auto
	$(BIN)/python -m pytest $(TIMED) -n auto --dist loadfile
	$(BIN)/python -m pytest tests $(PURE:%=--ignore=%) $(TIMED:%=--ignore=%) --ignore=tests/mutants \
		-n $$((2 * $(JOBS))) --dist loadfile
endif

check: $(STAMP) ## check format, style, types and imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy $(SOURCES)
	$(BIN)/lint-imports --no-logo

types: $(STAMP) ## see what users' editors and type checkers see, with pyright
	scripts/check-types

compiled: $(STAMP) ## compile sse_core with mypyc in a scratch folder, and run the core's tests on it
	$(BIN)/python scripts/try-mypyc $(ARGS)

# The peers have an environment of their own, so that no test or check can come to need them.
$(BENCH)/.ready: pyproject.toml scripts/make-venv
	EXTRA=bench scripts/make-venv $(BENCH) $(PYTHON)
	@touch $@

bench: $(BENCH)/.ready ## measure; each bench/bench_*.py prints its own figures
	@set -e; for file in bench/bench_*.py; do echo "== $$file"; $(BENCH)/bin/python "$$file"; done

load: $(STAMP) ## try what has to hold under load, for minutes; a verdict a line; ARGS='--quick'
	$(BIN)/python bench/load_scenarios.py $(ARGS)

fuzz: $(STAMP) ## look for inputs that break a law, for FUZZ_SECONDS
	$(BIN)/python -m fuzz run --seconds $(FUZZ_SECONDS) $(ARGS)

scenarios: $(STAMP) ## play every scenario of the bindings on every event loop
	SCENARIOS=all $(BIN)/python -m pytest tests/bindings/test_*.py -n auto $(ARGS)

servers: $(STAMP) ## try sse_asgi inside real servers: uvicorn, hypercorn, granian
	SERVERS=all $(BIN)/python -m pytest tests/servers -s $(ARGS)

simulate: $(STAMP) ## play SEEDS worlds with every fault in virtual time, in JOBS processes
	$(BIN)/python -m tests.simulation --seeds $(SEEDS) --jobs $(JOBS) $(ARGS)

mutants: $(STAMP) ## see that the laws and the simulation find the bugs that are put in on purpose
	$(BIN)/python -m pytest tests/mutants -n $(JOBS) -o timeout=600
	$(BIN)/python -m tests.simulation.mutants --jobs $(JOBS) $(ARGS)

conformance: $(STAMP) ## try this decoder and its peers on the vectors; writes docs/conformance.md
	conformance/make-peers .venv-peers $(PYTHON)
	$(BIN)/python conformance/run.py --peers --write docs/conformance.md $(ARGS)

docs: $(STAMP) ## draw the state tables' diagrams and the table of scenarios anew
	$(BIN)/python docs/build.py
	$(BIN)/python -m tests.bindings.table

clean: ## remove all that is made, the virtual environments too
	rm -rf .venv .venv-* $(VENV) $(BENCH) $(NODE)/node_modules build dist *.egg-info .coverage .coverage.* \
		.pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find sse_core bindings sse_relay tests conformance -name __pycache__ -type d -exec rm -rf {} +
