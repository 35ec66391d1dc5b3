# `make demo` and `make test` set up all they need in .venv; nothing else has to be installed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# pip, with a line that says what it is doing: it is silent for a minute otherwise.
INSTALL := $(BIN)/python scripts/install.py
# The releases that the checks run with, for everybody the same; `make lock` renews them.
PINNED := --constraint requirements/constraints.txt
EXTRAS := chat,engine,ifeval,judge,lora,mauve,objects,parquet,postgres,ray,serve,sweep,train,ui
# Processes of the tests: `make test JOBS=8`. Each of them computes on one thread.
JOBS ?= 2
PYTEST := $(BIN)/python -m pytest
PARALLEL := --numprocesses $(JOBS) --dist worksteal

.PHONY: web web-check help demo example-my-gpt2 check test test-slow lint words types fast data lock docs clean
.PHONY: bench-contention bench-engine bench-measure bench-plan bench-ray bench-serve bench-store
.PHONY: bench-train sbom wheel-test
.DEFAULT_GOAL := help

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 15

# Two stamps: running the demo needs no linter. pip 25.1 is the first that reads dependency groups.
$(VENV)/.run: pyproject.toml requirements/constraints.txt
	@echo "Making .venv; then packages are installed into it, about 1.4 GB, once"
	@$(PYTHON) -m venv $(VENV)
	@$(INSTALL) --upgrade 'pip>=25.1'
	@$(INSTALL) $(PINNED) --editable '.[engine,parquet]'
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	@$(INSTALL) $(PINNED) --group dev --editable '.[$(EXTRAS)]'
	@touch $@

$(VENV)/.train: $(VENV)/.run
	@$(INSTALL) $(PINNED) --editable '.[engine,train]'
	@touch $@

$(VENV)/.docs: pyproject.toml requirements/constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(INSTALL) --upgrade 'pip>=25.1'
	@$(INSTALL) $(PINNED) --group docs --editable .
	@touch $@

demo: $(VENV)/.run  ## run the example study on the built-in model and print what was found
	@$(BIN)/ethogram run --log --study examples/first-light
	@command -v ethogram > /dev/null || echo "First activate the environment:  . $(BIN)/activate"

example-my-gpt2: $(VENV)/.train  ## train a GPT-2, tune it, steer it; half an hour on two cores
	sh examples/my-gpt2/run.sh $(BIN)

check: $(VENV)/.dev  ## the quick loop: lint, types, short tests that need no model
	$(MAKE) --jobs 2 lint types
	$(MAKE) fast

lint: $(VENV)/.dev words  ## ruff (lint and format), and which package imports which
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo

words: $(VENV)/.dev  ## spelling, words to avoid, lengths of lines and files
	$(BIN)/codespell
	$(BIN)/python scripts/check_words.py
	$(BIN)/python scripts/check_sizes.py

types: $(VENV)/.dev  ## mypy, strict: source, tests, benchmarks, scripts
	$(BIN)/mypy

fast: $(VENV)/.dev  ## short tests that need no model; few examples, no coverage
	$(PYTEST) $(PARALLEL) --hypothesis-profile=fast -m "not slow and not long and not model and not gpu"

test: lint types  ## lint, types, and the tests but the slow ones, with branch coverage
	$(PYTEST) $(PARALLEL) --hypothesis-profile=ci -m "not slow" --cov --cov-report=term-missing:skip-covered

test-slow: $(VENV)/.dev  ## every test in its full form: simulations, whole models, many examples
	$(PYTEST) $(PARALLEL) --hypothesis-profile=full

wheel-test:  ## build the wheel; a study and the fast tests in an empty environment (15 minutes)
	$(PYTHON) -m scripts.wheel_test --jobs $(JOBS)

sbom:  ## what the wheel with its extras installs, as CycloneDX, and its known vulnerabilities
	$(PYTHON) -m scripts.sbom

data: $(VENV)/.run  ## fetch the released outputs whose published scores are tested (30 MB)
	$(BIN)/python scripts/fetch_data.py

lock:  ## renew requirements/constraints.txt with the newest releases that fit
	$(PYTHON) scripts/lock.py

docs: $(VENV)/.docs  ## build the documentation into site/, strict
	set -e; for page in scripts/*_page.py; do $(BIN)/python $$page; done
	$(BIN)/zensical build --strict

web: $(VENV)/.dev web/node_modules/.installed  ## build the page from web/, with its checks (needs Node)
	$(BIN)/python -m scripts.api_types | (cd web && node types.mjs)
	cd web && npm run --silent check && npm run --silent build

web-check: $(VENV)/.dev web/node_modules/.installed  ## the page's checks; is what is committed what is built?
	$(BIN)/python -m scripts.api_types | (cd web && node types.mjs --check)
	cd web && npm run --silent check && npm run --silent build -- --check

web/node_modules/.installed: web/package-lock.json web/tools/openapi/package-lock.json
	cd web && npm ci && cd tools/openapi && npm ci
	@touch $@

bench-engine: $(VENV)/.run  ## the engine and its peers side by side (long; a quiet machine)
	$(BIN)/python -m benchmarks.engine
	$(BIN)/python -m benchmarks.contention

bench-contention: $(VENV)/.run  ## the same beside busy processes, on one core, under a quota
	$(BIN)/python -m benchmarks.contention

bench-measure: $(VENV)/.dev  ## scoring with every metric that needs no model, beside its peers
	$(BIN)/python -m benchmarks.measure

bench-plan: $(VENV)/.run  ## bytes and time of 10^3 to 10^6 stored outputs, beside the plan's
	$(BIN)/python -m benchmarks.plan

bench-ray: $(VENV)/.dev  ## one worker and two, each with a core of its own (some minutes)
	$(BIN)/python -m benchmarks.ray_scaling

bench-serve: $(VENV)/.dev  ## streaming clients against the server, beside the engine (ten minutes)
	$(BIN)/python -m benchmarks.serve

bench-store: $(VENV)/.run  ## memory and queries of a sweep of 100 000 outputs (some minutes)
	$(BIN)/python -m benchmarks.store

bench-train: $(VENV)/.dev  ## training beside plain trainers: speed, MFU, memory (some minutes)
	$(BIN)/python -m benchmarks.train

clean:  ## remove the virtual environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .cache .coverage* site dist
