# make demo   try it: install, import the example catalogue, show a resolution, serve
# make test   every check and test that this machine can run, but for what takes long

PYTHON ?= python3
# Processes that test. Many tests wait for servers of theirs, so there is one more than the two processors that are counted on.
TESTERS ?= 3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check
APP    := $(VENV)/.app
DEV    := $(VENV)/.dev

.PHONY: demo test test-all lint dashboard bench docs locks clean

demo: export BUILDATLAS_DATABASE_URL := .demo/julia.db
demo: dashboard
	$(BIN)/buildatlas import examples/julia.jsonl.gz
	$(BIN)/buildatlas resolve CuArrays DataStructures
	$(BIN)/buildatlas resolve TensorFlow 'Flux>=0.14' || true # exit code 1: the answer is no
	$(BIN)/buildatlas serve

test: lint dashboard
	$(BIN)/python -m pytest -q -n $(TESTERS) -m "not long"

# With coverage, which slows down every process that is tested.
test-all: lint dashboard
	$(BIN)/python -m pytest -q -n $(TESTERS) --cov --cov-report=term

lint: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

# What the server gives to browsers.
dashboard: $(APP)
	$(BIN)/python dashboard/build.py

bench: $(DEV)
	$(BIN)/python -m pytest benchmarks -q --benchmark-only --benchmark-columns=min,median,rounds --benchmark-json=$(VENV)/bench.json
	$(BIN)/python -m benchmarks.ratios $(VENV)/bench.json
	$(BIN)/python -m benchmarks.memory

# Into site/, which any web server can give out.
docs: $(DEV)
	$(BIN)/python -m reference docs/reference
	$(BIN)/zensical build --strict

# The locks carry hashes and no addresses, so an install takes the same files from whichever index pip is set to.
LOCK   := $(BIN)/uv pip compile --quiet --universal --no-strip-extras --python-version 3.11 --generate-hashes --no-annotate --no-header pyproject.toml

locks: $(DEV)
	$(LOCK) --group build --output-file locks/app.txt $(UPGRADE)
	$(LOCK) --group build --group dev --constraints locks/app.txt --output-file locks/dev.txt $(UPGRADE)

$(APP): pyproject.toml locks/app.txt
	@$(PYTHON) -c 'import sys; sys.exit("Buildatlas needs Python 3.11 or later and this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) --require-hashes -r locks/app.txt
	$(PIP) --no-deps --no-build-isolation --editable .
	touch $@

$(DEV): $(APP) locks/dev.txt
	$(PIP) --require-hashes -r locks/dev.txt
	touch $@

clean:
	rm -rf $(VENV) buildatlas/dashboard dashboard/node_modules .cache .mypy_cache .ruff_cache .import_linter_cache site
