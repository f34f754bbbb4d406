PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PYTEST := $(BIN)/pytest -q
SHORT := -m "not slow"
# The first stages' order and random numbers: the same for everybody; SEED= draws another, and prints it.
SEED ?= 20261128
MIXED = $(if $(SEED),--randomly-seed=$(SEED))
# Tests that share one started exchange see what the ones before them left on its books.
ORDERED := -p no:randomly

.PHONY: run install test lint format bench load sim devnet docs lock
.DEFAULT_GOAL := run

# The exchange at http://127.0.0.1:8080, until Ctrl-C. More options: .venv/bin/tandem up --help
run: install
	@exec $(BIN)/tandem up

install: $(STAMP)

$(STAMP): requirements/lock.txt pyproject.toml sdk/python/pyproject.toml sdk/ccxt/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Tandem needs Python 3.11 or newer; set PYTHON=/path/to/python3.11") if sys.version_info < (3, 11) else None'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the locked dependencies into $(VENV) (a minute or two the first time) ..."
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements/lock.txt
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e . -e sdk/python -e sdk/ccxt
	@touch $@

# From the quickest to the slowest, so that a simple fault is told first.
test: install
	$(PYTEST) $(SHORT) $(MIXED) tests/unit tests/tables tests/test_tidy.py
	$(PYTEST) $(SHORT) $(MIXED) tests/contract tests/model tests/property tests/simulation
	$(PYTEST) $(SHORT) $(ORDERED) tests/chain tests/integration tests/faults

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(PYTEST) tests/test_tidy.py

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# FLOW="normal.bin sweep.bin" plays order-flow files, PARTS="matching rest" leaves the others out.
bench: install
	@$(BIN)/python -m load_tests.bench $(if $(FLOW),--flow $(FLOW)) $(if $(PARTS),--parts $(PARTS))

# The long forms of the random tests and of the faults; each prints its seed.
sim: install
	TANDEM_LONG=1 $(PYTEST) -s tests/model tests/property tests/simulation tests/faults \
	  tests/unit/sdk/test_book_following.py tests/integration/test_sdk_streams.py \
	  tests/integration/test_mcp_bad_inputs.py tests/integration/test_typescript_sdk.py \
	  tests/integration/test_bench.py

load: install
	@$(BIN)/python -m load_tests.load

# Three EVM nodes and a Solana one with every venue's pools, traders, and Tandem on it, until Ctrl-C.
# PRINT=1 prints the configuration instead of starting Tandem; RECORD=1 makes the recordings anew.
devnet: install
	@exec $(BIN)/python -m devnet $(if $(PRINT),--print) $(if $(RECORD),--record chain_feeds/recordings)

# The documentation as a site that needs no network, in build/site; a warning is an error.
docs: install
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet
	@echo "Open build/site/index.html"

lock:
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-annotate --no-header --no-emit-package tandem-event-trader --extra test --extra docs --extra lint \
	  pyproject.toml sdk/python/pyproject.toml requirements/make.in -o requirements/lock.txt
