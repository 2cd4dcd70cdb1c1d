# make demo   set up, train on real MNIST, write the report
# make test   set up, check style and types, run the whole suite (about 12 minutes on 2 cores)
# make test-elsewhere   what learns from images, once more as a processor without AVX-512, and with two threads
# make docs   the pages of docs/, the docstrings and the command line as a site: docs/_build/index.html
# make wheel  a file that pip installs anywhere, without npm and make: dist/*.whl
# make test-spawn   the core of the suite with processes that are started as on macOS and Windows
# make mutants   whether the suite still notices small faults that are put into a copy of the package
# make soak   the long versions of the randomised suites, and every process a fresh one

PYTHON ?= python3
BIN := .venv/bin
PRETTIER := node_modules/.bin/prettier
PAGES := "limpide/browser/static/**/*.{js,css}" "!**/vendor/**"
CATALOGUES := $(wildcard limpide/locale/*/LC_MESSAGES/limpide.po)

.PHONY: demo install test test-elsewhere test-spawn check format mutants soak coverage messages signatures docs wheel clean

demo: .venv/installed
	$(BIN)/limpide demo

install: .venv/developer

test: check
	$(BIN)/python -m pytest -m "not soak" -n 2 --dist loadscope --no-loadscope-reorder

# A test may not rest on what a network happens to give on one processor: what learns from images, once more with another arithmetic, rounding
# and order of sums. Left out: what compares a training with itself (test_killed.py, test_stopped.py), and what is about signals and the clock.
LEARNING := tests/api tests/audit tests/baselines tests/interpret tests/training tests/inspector tests/studio/pages \
	$(addprefix tests/workflows/train/test_,as_trained.py choosing.py memory.py never_seen.py only_tested.py parts.py value_range.py)
test-elsewhere: .venv/developer
	ONEDNN_MAX_CPU_ISA=AVX2 ATEN_CPU_CAPABILITY=avx2 OMP_NUM_THREADS=2 OMP_WAIT_POLICY=PASSIVE \
		$(BIN)/python -m pytest -m "not soak" -n 2 --dist loadscope $(LEARNING)

check: .venv/developer
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy --platform win32 --cache-dir .mypy_cache/win32 limpide
	$(BIN)/mypy --platform darwin --cache-dir .mypy_cache/darwin limpide
	@if [ -x $(PRETTIER) ]; then $(PRETTIER) --check $(PAGES); else echo "prettier is not here (npm ci): the pages' format goes unchecked"; fi

# Python, JavaScript and CSS as `make check` wants them.
format: .venv/developer
	$(BIN)/ruff format .
	$(PRETTIER) --write $(PAGES)

# The core of the suite with processes that are started as on macOS and Windows.
SPAWNED := tests/api tests/audit tests/cli tests/core tests/data tests/deploy tests/text tests/training
test-spawn: .venv/developer
	LIMPIDE_SPAWN=1 $(BIN)/python -m pytest -m "not soak" -n 2 --dist loadscope $(SPAWNED)

mutants: .venv/developer
	$(BIN)/python -m tests.mutants

soak: .venv/developer
	LIMPIDE_SOAK=1 $(BIN)/python -m pytest -n 2 --dist loadscope --no-loadscope-reorder

coverage: .venv/developer
	$(BIN)/pip install --quiet -c constraints.txt coverage
	$(BIN)/coverage run --source limpide -m pytest -m "not soak"
	$(BIN)/coverage report --skip-covered

# New and changed sentences → the catalogues, for translation; the table of errors → docs/reference/errors.md.
messages: .venv/developer
	$(BIN)/python -m tests.catalogue
	$(BIN)/python -m tests.errors_page

# The choices of a recipe → the signatures of the classifiers, for editors and type checkers.
signatures: .venv/developer
	$(BIN)/python -m tests.signatures

# A warning (a link that leads nowhere, a docstring that cannot be read) fails it.
docs: .venv/developer
	$(BIN)/sphinx-build -q -W --keep-going -b html docs docs/_build
	@echo "docs/_build/index.html"

wheel: .venv/developer
	$(BIN)/python -m build --wheel --outdir dist
	@$(BIN)/python -m zipfile -l dist/*.whl | grep -q vendor/preact.js || \
		{ echo "limpide: the wheel lacks the studio's pages — install npm, which fetches their modules, and try again"; exit 2; }
	@ls dist/*.whl

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
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache dist docs/_build docs/_generated
