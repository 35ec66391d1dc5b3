# `make demo` and `make test` set up all they need in .venv; nothing else has to be installed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lint types docs bench-engine bench-measure bench-store clean
.DEFAULT_GOAL := help

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

# Two stamps: running the demo needs no linter.
$(VENV)/.run: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[engine,parquet]'
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@

$(VENV)/.docs: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[docs]'
	@touch $@

demo: $(VENV)/.run  ## run the example study on the built-in model and print its table
	$(BIN)/ethogram run --study examples/first-light
	$(BIN)/ethogram log --study examples/first-light

lint: $(VENV)/.dev  ## ruff: lint and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev  ## mypy, strict
	$(BIN)/mypy

test: lint types  ## lint, types, tests with branch coverage
	$(BIN)/python -m pytest --cov --cov-report=term-missing:skip-covered

docs: $(VENV)/.docs  ## build the documentation into site/, strict
	$(BIN)/python scripts/metrics_page.py
	$(BIN)/zensical build --strict

bench-engine: $(VENV)/.run  ## the engine and its peers side by side (long; a quiet machine)
	$(BIN)/python -m benchmarks.engine

bench-measure: $(VENV)/.dev  ## scoring with every metric that needs no model, beside its peers
	$(BIN)/python -m benchmarks.measure

bench-store: $(VENV)/.run  ## memory and queries of a sweep of 100 000 outputs (some minutes)
	$(BIN)/python -m benchmarks.store

clean:  ## remove the virtual environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .cache .coverage site
