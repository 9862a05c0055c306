# Needs nothing but Python >= 3.11, git, make and the package index.
# The environment lives in .venv; a stamp in it says what has been installed.

.DEFAULT_GOAL := help
.PHONY: help demo run test faults lint bench secrets lock clean

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# More than there are cores: tests on brokers mostly wait.
WORKERS ?= 3
ARGS ?=

help: ## show these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' Makefile

demo: $(VENV)/.runtime ## import a real log, show it, verify it, tamper with a copy
	@$(BIN)/henji demo $(ARGS)

run: $(VENV)/.runtime ## serve on an embedded ledger in ./henji-data
	@$(BIN)/henji serve $(ARGS)

test: lint ## lint, then all tests (ARGS="-k seal" selects)
	$(BIN)/python -m pytest -n $(WORKERS) $(ARGS)

lint: $(VENV)/.dev ## format, lint rules, import contracts, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-logo
	$(BIN)/mypy

faults: $(VENV)/.dev ## break whole deployments under load: every fault, in full
	$(BIN)/python -m pytest tests/faults --faults-in-full $(ARGS)

bench: $(VENV)/.bench ## measure against the baselines, on SQLite and PostgreSQL
	$(BIN)/python -m benchmarks $(ARGS)

secrets: ## make the passwords for docker compose, once, in ./secrets
	@$${PYTHON:-python3} services/deploy/passwords.py secrets

clean: ## remove the environment, caches and local data
	rm -rf $(VENV) build dist *.egg-info henji-data demo-data
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp is touched last, so an interrupted installation is taken up again.
$(VENV)/.created:
	@rm -rf $(VENV)
	@for python in $${PYTHON:-python3 python3.13 python3.12 python3.11}; do \
	  "$$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' \
	    >/dev/null 2>&1 || continue; \
	  echo "environment: $(VENV), $$("$$python" --version)"; \
	  "$$python" -m venv $(VENV) && touch $@ && exit 0; \
	done; \
	echo 'No Python >= 3.11 with a complete venv module was found.' >&2; \
	echo 'On Debian or Ubuntu: apt install python3-venv. Elsewhere, name one:' >&2; \
	echo '  make PYTHON=/path/to/python3.13' >&2; \
	exit 1

$(VENV)/.%: requirements/%.txt pyproject.toml $(VENV)/.created
	@echo "installing: $<"
	@$(PIP) install --quiet --require-hashes --only-binary :all: -r $<
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

UV_COMPILE := uv pip compile --quiet --universal --python-version 3.11 \
  --generate-hashes --no-annotate --no-header --no-emit-index-url \
  --no-emit-find-links pyproject.toml

lock: ## pin the dependencies again (needs uv; ARGS=--upgrade for newer ones)
	$(UV_COMPILE) $(ARGS) --group bench -o requirements/bench.txt
	$(UV_COMPILE) $(ARGS) --group dev -c requirements/bench.txt -o requirements/dev.txt
	$(UV_COMPILE) $(ARGS) --group build -c requirements/bench.txt -o requirements/runtime.txt
