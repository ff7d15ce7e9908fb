# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# What was installed, copied when the install has succeeded: it is repeated only if this changes.
INSTALLED := $(VENV)/installed-pyproject.toml

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint clean _install

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-7s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## create .venv with everything in it (once: a few minutes and several GB)
	@cmp -s pyproject.toml $(INSTALLED) || $(MAKE) --no-print-directory _install

demo: setup ## compare seven models on a small rendered set, leave a report, print where
	$(BIN)/anomalib compare --config benchmark_configs/icmold_quick.yaml

test: lint ## check style and types, run the tests
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses logical --maxprocesses 4 --dist loadfile

lint: setup ## check style and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

clean: ## remove .venv, caches and builds (never data or results)
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache
	find anogan_plugin tests -name __pycache__ -type d -prune -exec rm -rf {} +

# Dependencies first, so that the last line finds everything there and needs no network.
_install:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
	  echo "Python 3.10 or later is needed, which $(PYTHON) is not: make setup PYTHON=/path/to/python3"; exit 1; }
	@echo "Installing into $(VENV), once: a few minutes and several GB, most of it torch."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet "torch>=2.10" "torchvision>=0.25" "hatchling>=1.27"
	$(BIN)/python -m pip install --quiet --no-build-isolation --editable ".[dev]"
	@cp pyproject.toml $(INSTALLED)
	@echo "Installed. From here on no network is needed."
