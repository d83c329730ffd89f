# `make paper` and `make test` do all set-up in a virtual environment of their own.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help paper test check lock clean
help: ## what there is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/:/'

$(READY): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "PolyBawt needs Python 3.11 or later; say make PYTHON=python3.12" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint requirements.lock --editable '.[dev]'
	@touch $(READY)

paper: $(READY) ## trade on our own exchange, in the terminal
	$(BIN)/polybawt paper

test: $(READY) check ## every check and every test
	$(BIN)/python -m pytest -n auto --dist loadgroup --cov --cov-report=term:skip-covered

check: $(READY) ## style, types, and the arrows between the rooms
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

lock: $(READY) ## write down the versions that are installed now
	$(BIN)/python -m pip freeze --exclude-editable > requirements.lock

clean: ## remove what the other targets made
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage* .import_linter_cache
