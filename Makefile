PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: install lock
install: $(STAMP)

$(STAMP): requirements/lock.txt pyproject.toml sdk/python/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Tandem needs Python 3.11 or newer; set PYTHON=/path/to/python3.11") if sys.version_info < (3, 11) else None'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the locked dependencies into $(VENV) (about a minute the first time) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/lock.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . -e sdk/python
	@touch $@

lock:
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-annotate --no-header --no-emit-package tandem-event-trader --extra test --extra lint \
	  pyproject.toml sdk/python/pyproject.toml requirements/make.in -o requirements/lock.txt

.PHONY: devnet
devnet: $(STAMP)  ## a local Ethereum node with real Uniswap V2 pairs; ARGS="--tandem" starts Tandem on it
	@$(BIN)/python -m devnet $(ARGS)
