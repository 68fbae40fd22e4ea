# Everything a contributor needs. `make help` lists the targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
.DEFAULT_GOAL := help
# Tests start hundreds of processes; without bytecode each would compile the package again.
unexport PYTHONDONTWRITEBYTECODE
.PHONY: help install check test demo demo-rollout demo-site gold docs docs-site promises bench bench-quick

help: ## List the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(VENV)/.product: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or later is needed")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --editable '.[local]'
	touch $@

$(VENV)/.installed: $(VENV)/.product
	@# Tests import a fifth of these packages; compiling all of it would take 20 seconds.
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --group dev
	touch $@

install: $(VENV)/.installed ## Create the virtual environment with all dependencies

demo: $(VENV)/.product ## Run the Action on example-repo/ with the embedded model: report, comment, verdict `fail`
	@$(BIN)/promptci demo --set-up --out demo-output

demo-rollout: $(VENV)/.product ## Play a rollout: a bad version is released, tried on 5 % of the customers, and rolled back
	@$(BIN)/python tools/demo_rollout.py

demo-site: $(VENV)/.product ## Play two months of the example, and build its site with a guided tour
	@$(BIN)/promptci site --demo --out demo-site

check: install ## Lint, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# mypy works on one core for most of a minute: it runs beside the tests, and its result stands below theirs.
test: install ## Lint, types and all tests except the long ones
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/promptci demo --set-up-only
	@$(BIN)/mypy >$(VENV)/mypy.txt 2>&1 & mypy=$$!; \
	$(BIN)/pytest -m "not long" -n 3 --dist loadfile --no-loadscope-reorder $(PYTEST_OPTIONS); tests=$$?; \
	wait $$mypy; types=$$?; \
	echo "mypy:"; cat $(VENV)/mypy.txt; \
	test $$tests -eq 0 -a $$types -eq 0

gold: install ## Accept the present texts of comment and report (then read the diff)
	$(BIN)/pytest tests/unit/report --update-gold

docs: install ## Generate pages and schemas from the code
	$(BIN)/python tools/generate_docs.py

docs-site: install ## Build the documentation site into build/site, with links checked
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group docs
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going --doctree-dir build/doctrees docs build/site

promises: install ## Write docs/promises.md and the tables of docs/drift.md from simulations
	$(BIN)/python tools/measure_promises.py
	$(BIN)/python tools/measure_drift.py

bench: install ## Measure speed and sizes beside plain scripts, promptfoo and inspect_ai; writes docs/performance.md
	$(BIN)/python benchmarks/bench.py

bench-quick: install ## Try all of the benchmark with small sizes in three minutes; writes nothing
	$(BIN)/python benchmarks/bench.py --quick
