# Needs GNU make, git and Python 3.11 or newer; everything else goes into $(VENV).
# uv is used when it is on PATH, to install faster; nothing needs it.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# Processes of pytest: `make test JOBS=1` runs in one.
JOBS ?= auto
ARGS ?=

# Install $(1), trying uv first: a uv that cannot reach its index must not stop anybody.
install = ( command -v uv >/dev/null 2>&1 \
	&& uv pip install --quiet --python $(BIN)/python --constraint constraints.txt --editable '$(1)' ) \
	|| $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '$(1)'
pytest = $(BIN)/python -m pytest -n $(JOBS)

.PHONY: help demo test test-all lint types layers bench docs links clean
.DEFAULT_GOAL := help

help:  ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(VENV)/.runtime  ## plan the fraud-detection example, end to end
	$(BIN)/twinloop plan examples/fraud-detection.yaml --out out/fraud-detection
	@echo
	@echo "Open the report in a browser: $(CURDIR)/out/fraud-detection/report.html"

test: $(VENV)/.dev  ## the fast tests and the worked examples of the docstrings
	$(pytest) -m "not slow" $(ARGS)

test-all: $(VENV)/.dev  ## every test, with coverage
	$(pytest) --cov=twinloop --cov-report=term:skip-covered $(ARGS)

lint: $(VENV)/.dev  ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev  ## mypy, strict
	$(BIN)/mypy

layers: $(VENV)/.dev  ## rooms import downward only
	$(BIN)/lint-imports

bench: $(VENV)/.dev  ## the figures of benchmarks/, one script after the other
	@set -e; for script in $(sort $(wildcard benchmarks/*.py)); do echo "== $$script"; $(BIN)/python "$$script"; done

docs: $(VENV)/.dev  ## plan the case studies, write their tables, build the pages into site/
	$(BIN)/python docs/generate/case_studies.py
	$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going -b html docs site
	$(BIN)/python -m pytest -q tests/examples/test_pages.py tests/test_architecture.py -k "page or link or block"
	@echo "Open site/index.html"

links: $(VENV)/.dev  ## ask each address outside of the project whether it answers (needs the internet)
	$(BIN)/python -m sphinx --quiet -D suppress_warnings=download.not_readable -b linkcheck docs site/links

clean:  ## results and caches; the environment stays (rm -r .venv)
	rm -rf out build dist site docs/reference .coverage htmlcov .hypothesis .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find src tests benchmarks -type d -name __pycache__ -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "twinloop needs Python 3.11 or newer: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 2; }
	$(PYTHON) -m venv $(VENV)

# Stamps: repeated only when the dependencies change.
$(VENV)/.runtime: pyproject.toml constraints.txt | $(BIN)/python
	$(call install,.)
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(BIN)/python
	$(call install,.[dev])
	@touch $@ $(VENV)/.runtime
