# make demo   set up, train on real MNIST, write the report
# make test   set up, check style and types, run the whole suite (10 to 25 minutes on 2 cores)
# make soak   the long versions of the randomised suites

PYTHON ?= python3
BIN := .venv/bin
CATALOGUES := $(wildcard limpide/locale/*/LC_MESSAGES/limpide.po)

.PHONY: demo install test check soak coverage messages clean

demo: .venv/installed
	$(BIN)/limpide demo

install: .venv/developer

test: check
	$(BIN)/python -m pytest -m "not soak" -n 2 --dist loadscope --no-loadscope-reorder

check: .venv/developer
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

soak: .venv/developer
	LIMPIDE_SOAK=1 $(BIN)/python -m pytest -n 2 --dist loadscope --no-loadscope-reorder

coverage: .venv/developer
	$(BIN)/pip install --quiet -c constraints.txt coverage
	$(BIN)/coverage run --source limpide -m pytest -m "not soak"
	$(BIN)/coverage report --skip-covered

# New and changed sentences → the catalogues, for translation.
messages: .venv/developer
	$(BIN)/python -m tests.catalogue

.venv/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "limpide: Python 3.11 or newer is needed — $$($(PYTHON) --version) — name another one: make PYTHON=python3.12"; exit 2; }
	$(PYTHON) -m venv .venv
	@touch $@

.venv/installed: .venv/python pyproject.toml constraints.txt hatch_build.py package-lock.json $(CATALOGUES)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

.venv/developer: .venv/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	@touch $@

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache
