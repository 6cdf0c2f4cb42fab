# What a person does with this project, one word each; `make` alone lists them.
# Another interpreter or another place for the environment: make demo PYTHON=python3.12 VENV=/tmp/gridlab

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
WORKERS ?= 2

BENCHMARKS := clearing continuous mechanisms coupling national_day controls ledger consensus finality chain_throughput store npos public_chain public_quiet channels shards oracle feeds governance voters economics liabilities

EXTRAS_demo := fast
EXTRAS_lab := fast,notebook
EXTRAS_test := test

.DEFAULT_GOAL := help
.PHONY: help demo lab test lint soak bench clean distclean
.PRECIOUS: $(VENV)/.installed-%

help: ## list what can be made
	@echo "make WORD, where WORD is one of:"
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  \1|\2/p' $(MAKEFILE_LIST) | awk -F '|' '{ printf "%-12s %s\n", $$1, $$2 }'
	@echo "The first run makes $(VENV) and installs into it; needs Python 3.11 or newer (PYTHON=$(PYTHON))."

demo: $(VENV)/.installed-demo ## run one Thai day, print its key figures, write day.html
	$(BIN)/python -m gridlab

lab: $(VENV)/.installed-lab ## open JupyterLab at the first lesson
	PYTHONHASHSEED=0 $(BIN)/jupyter lab tutorials/01-a-thai-day.ipynb

test: lint ## check the code and run every test and every notebook
	$(BIN)/python -m pytest -n $(WORKERS)

lint: $(VENV)/.installed-test ## check style, types and which room imports which
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

soak: $(VENV)/.installed-test ## look for new counterexamples to every property, for an hour or so
	HYPOTHESIS_PROFILE=soak $(BIN)/python -m pytest -n $(WORKERS) tests -m "not browser"

bench: $(VENV)/.installed-demo ## measure what docs/performance.md says
	@set -e; for script in $(BENCHMARKS); do echo "$$script"; $(BIN)/python -m "benchmarks.$$script"; done

clean: ## remove what runs and tests left behind; keeps the environment
	rm -rf build dist day.html .pytest_cache .hypothesis .ruff_cache .mypy_cache .import_linter_cache
	find . -path ./$(VENV) -prune -o -type d \( -name __pycache__ -o -name .ipynb_checkpoints \) -exec rm -rf {} +

distclean: clean ## remove the environment as well
	rm -rf $(VENV)

# An install is repeated only when what it reads has changed.
$(VENV)/.installed-%: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing gridlab with the extras $(EXTRAS_$*) into $(VENV), about a minute ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[$(EXTRAS_$*)]"
	@touch $@

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) was not found: install Python 3.11 or newer, or name it: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is $$($(PYTHON) --version 2>&1), gridlab needs Python 3.11 or newer; name one: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "No environment could be made; on Debian or Ubuntu: apt install python3-venv" >&2; exit 1; }
