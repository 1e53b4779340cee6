# Every target makes the environment it needs; a machine with Python >= 3.11, pip and make will do.
# PYTHON=/path/to/python picks the interpreter, VENV=folder the environment, JOBS=n the test workers,
# SCALE=full the size of the figures.

VENV ?= .venv
JOBS ?= 2
PYTHON ?=
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
SCALE ?= small

OLDEST := tests/core tests/store tests/show tests/report/test_export.py tests/cli/test_output.py \
	tests/cli/test_completion.py tests/flow/test_trial.py tests/test_face.py

# One stamp for each set of dependencies, renewed when pyproject.toml changes.
BASE := $(VENV)/.installed
TEST := $(VENV)/.installed-test
BENCH := $(VENV)/.installed-bench
DOCS := $(VENV)/.installed-docs
BROWSER := $(VENV)/.installed-browser
CHROMIUMS := chromium-headless-shell chromium chromium-browser google-chrome

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test lint docs slow browser fuzz faults package oldest figures bench calibration clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(BASE) ## run a small study and print where its boundary lies
	@$(BIN)/jaxflow run demo --out runs/demo

test: lint ## lint, then the tests
	@$(BIN)/python -m pytest -q -n $(JOBS)

lint: $(TEST) ## style, types, and which module may import which
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet . || { echo "to fix: $(BIN)/ruff format ."; exit 1; }
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-logo

slow: $(TEST) ## the tests that take minutes
	@$(BIN)/python -m pytest -q -n $(JOBS) -m slow

docs: $(DOCS) ## build the documentation into build/docs, and run its notebooks (minutes)
	@$(BIN)/sphinx-build -q -W --keep-going -n -E -d build/doctrees docs build/docs
	@echo "open build/docs/index.html"

browser: $(BROWSER) ## open reports in a real Chromium, which is installed if there is none
	@$(BIN)/python -m pytest -q -m slow tests/browser

fuzz: $(TEST) ## spoil 3000 stores and 3000 study files, and use them (ten minutes)
	@$(BIN)/python -m tests.fuzz --workers $(JOBS)

faults: $(TEST) ## kill, stop and cut off real processes: the table stays the same (ten minutes)
	@$(BIN)/python -m tests.faults

package: $(TEST) ## build wheel and sdist, install the wheel elsewhere, use it (minutes; network)
	@$(BIN)/python -m tests.package

oldest: $(TEST) ## a part of the tests with the lowest versions allowed (minutes; network)
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv-oldest
	@$(BIN)/uv pip install --quiet --python .venv-oldest --resolution lowest-direct -e '.[test]'
	@.venv-oldest/bin/python -m pytest -q $(OLDEST)

figures: $(BASE) ## run the studies of every figure and draw them (half an hour; SCALE=full: hours)
	@$(BIN)/python figures/_all.py $(if $(filter full,$(SCALE)),,--small)

bench: $(BENCH) ## measure against PyTorch, diffrax and SciPy on the same trials (ten minutes)
	@$(BIN)/python -m benchmarks

calibration: $(BASE) ## simulate studies of known truth: how often intervals hold it (minutes)
	@$(BIN)/python -m benchmarks.calibration
	@$(BIN)/python figures/calibration.py

clean: ## remove caches and build outputs; runs/ and the environment stay
	@rm -rf build dist *.egg-info .hypothesis .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	@find . -path './$(VENV)' -prune -o -type d -name __pycache__ -exec rm -rf {} +

$(BIN)/pip:
	@python=""; \
	for candidate in $(or $(PYTHON),python3.11 python3); do \
	  if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	  then python="$$candidate"; break; fi; \
	done; \
	if [ -z "$$python" ]; \
	then echo "expected Python >= 3.11, got $(or $(PYTHON),none): install it or give make PYTHON=/path/to/python"; exit 1; fi; \
	"$$python" -m venv $(VENV)

$(BASE): pyproject.toml | $(BIN)/pip
	@echo "installing jaxflow into $(VENV) (minutes the first time)"
	@$(PIP) -e . && touch $@

$(TEST): $(BASE)
	@echo "installing what the tests need into $(VENV)"
	@$(PIP) -e '.[test]' && touch $@

$(BROWSER): $(TEST)
	@echo "installing what the tests in a browser need"
	@$(PIP) -e '.[browser]'
	@which $(CHROMIUMS) | grep -q . || $(BIN)/playwright install chromium-headless-shell || \
	  { apt-get update -qq && apt-get install -y -qq chromium-headless-shell; } || \
	  { echo "expected a Chromium, got none: install one of $(CHROMIUMS)"; exit 1; }
	@touch $@

$(BENCH): $(BASE)
	@echo "installing the peers of the benchmark into $(VENV)"
	@$(PIP) -e '.[bench]' && touch $@

$(DOCS): $(BASE)
	@echo "installing what the documentation needs into $(VENV)"
	@$(PIP) -e '.[docs]' && touch $@
