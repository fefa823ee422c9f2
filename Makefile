# Two commands do all the set-up: `make demo` and `make test`.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.9
DEMO ?= demo

export OPENBLAS_NUM_THREADS ?= 1
# Hundreds of processes import the same packages: they are compiled once.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test test-fast lint up lock site captures widgets clean help

help:
	@echo "make demo       environment, demonstration base, trame evaluated, report executed"
	@echo "make test       environment, all tests, lint, types, import arrows"
	@echo "make test-fast  the same without the tests marked slow"
	@echo "make up         dashboards on the demonstration base (or WORKBENCH_BASE)"
	@echo "make site       documentation as a site, in site/"
	@echo "make captures   the pictures of the documentation again, by the browser tests"
	@echo "make widgets    bundle CodeMirror, tus-js-client and the outlines of the map again (Node and npm; not needed to run)"
	@echo "make lock       resolve the dependencies again into the lock files"

$(BIN)/uv:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

# What users run, then what developers add; each stamp is remade when its lock changes.
$(VENV)/.product: requirements.lock pyproject.toml $(BIN)/uv
	VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --require-hashes -r requirements.lock
	VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --no-deps --editable .
	$(BIN)/python -c "import workbench.evaluation.compiled, workbench.evaluation.spread"  # compiles them, once a machine
	@touch $@

$(VENV)/.development: requirements-dev.lock $(VENV)/.product
	VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --require-hashes -r requirements-dev.lock
	@touch $@

demo: $(VENV)/.product
	$(BIN)/workbench demo --to $(DEMO)

test: $(VENV)/.development lint
	$(BIN)/python -m pytest -n 2 --dist loadscope --no-loadscope-reorder

test-fast: $(VENV)/.development lint
	$(BIN)/python -m pytest -n 2 --dist loadscope --no-loadscope-reorder -m "not slow"

lint: $(VENV)/.development
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

up: $(VENV)/.product
	$(BIN)/workbench up

site: $(VENV)/.development
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict -f .ci/site.yml

lock:
	$(BIN)/uv pip compile pyproject.toml --extra jupyter --extra postgres --extra broker --extra detection --universal --generate-hashes --no-emit-index-url --no-header --no-annotate -o requirements.lock
	$(BIN)/uv pip compile pyproject.toml --extra jupyter --extra postgres --extra broker --extra detection --group dev --universal --generate-hashes --no-emit-index-url --no-header --no-annotate -c requirements.lock -o requirements-dev.lock

captures: $(VENV)/.development
	WORKBENCH_CAPTURES=$(CURDIR)/docs/captures $(BIN)/python -m pytest -q tests/dashboards/test_people_browser.py tests/dashboards/test_rights_browser.py tests/dashboards/test_depot_browser.py tests/dashboards/test_companies_browser.py tests/dashboards/test_sheet_browser.py

widgets:
	cd workbench/widgets/editor && npm ci --ignore-scripts && npm run build
	cd workbench/dashboards/tus && npm ci --ignore-scripts && npm run build
	cd workbench/dashboards/outlines && npm ci --ignore-scripts && npm run build

clean:
	rm -rf $(VENV) $(DEMO) site .mypy_cache .ruff_cache .pytest_cache .hypothesis
