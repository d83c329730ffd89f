# `make paper` and `make test` do all set-up in a virtual environment of their own.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help paper test check proof lock clean
help: ## what there is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/:/'

$(READY): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "PolyBawt needs Python 3.11 or later; say make PYTHON=python3.12" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint requirements.lock --editable '.[dev,proof]'
	@touch $(READY)

paper: $(READY) ## trade on our own exchange, in the terminal
	$(BIN)/polybawt paper

test: $(READY) check ## every check and every test
	$(BIN)/polybawt verify --quick
	$(BIN)/python -m pytest -n auto --dist loadgroup --cov --cov-report=term:skip-covered

check: $(READY) ## style, types, and the arrows between the rooms
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Two machines are broken on purpose each time, another pair with every commit.
TURN = $(shell git rev-list --count HEAD 2>/dev/null || echo 0)
PAIR = from polybawt.proof.catalogue import MIRRORS as m; n = [*m]; t = 2 * $(TURN); print(n[t % len(n)], n[(t + 1) % len(n)])
proof: $(READY) ## every specification with TLC, and the mutants of two machines
	$(BIN)/polybawt verify
	$(BIN)/python -c '$(PAIR)' | xargs -n 1 $(BIN)/polybawt verify --mutate

lock: $(READY) ## write down the versions that are installed now
	$(BIN)/python -m pip freeze --exclude-editable > requirements.lock

clean: ## remove what the other targets made
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage* .import_linter_cache

.PHONY: picture
picture: $(READY) ## draw the README's picture from a paper run
	@rm -rf build/picture && mkdir -p build
	@$(BIN)/polybawt paper --headless --duration 50 --seed 7 --state build/picture --json >build/picture.json & \
	  sleep 35; $(BIN)/python -m polybawt_tui --socket build/picture/audit.sock --screenshot tui/terminal.svg --size 132x42 --after 4; wait
