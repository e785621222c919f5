# Two commands: "make demo" runs the main job on real images, "make test" runs every check.
# Both make .venv first; PYTHON=python3.12 chooses another Python, VENV=folder another place.

PYTHON ?= python3
VENV ?= .venv
python := $(VENV)/bin/python
export PYTHON

# What pip reads to know what to install.
description := pyproject.toml src/shiftfield/_version.py

.PHONY: help demo test check docs clean

help:
	@echo "make demo   find the shifts of a real image pair, show them in the viewer"
	@echo "make test   install everything, run ruff, mypy and all tests, viewer included"
	@echo "make check  the same without installing anything"
	@echo "make docs   build the documentation into site/"
	@echo "make clean  remove $(VENV) and everything that was built"

# Without root the demo still runs: it says what the viewer lacks.
demo:
	@scripts/install-system-libraries || true
	@$(MAKE) --no-print-directory --silent $(VENV)/.has-plugin
	@$(python) -m shiftfield.demo

test:
	@scripts/install-system-libraries
	@$(MAKE) --no-print-directory --silent $(VENV)/.has-all
	@$(MAKE) --no-print-directory check

check:
	$(python) -m ruff check
	$(python) -m ruff format --check
	$(python) -m mypy
	$(python) -m pytest -n 2 --dist worksteal

docs: $(VENV)/.has-all
	$(python) -m mkdocs build --strict

clean:
	rm -rf $(VENV) build dist site .mypy_cache .pytest_cache .ruff_cache .hypothesis shiftfield-demo

$(python):
	@echo "Making $(VENV)"
	@scripts/make-venv $(VENV)

$(VENV)/.has-plugin: $(description) | $(python)
	@echo "Installing shiftfield with its napari plugin into $(VENV)"
	@$(python) -m pip install --quiet --editable '.[napari]'
	@touch $@

$(VENV)/.has-all: $(description) | $(python)
	@echo "Installing shiftfield, its plugin and the tools of its developers into $(VENV)"
	@$(python) -m pip install --quiet --editable '.[napari,notebook]' --group dev
	@touch $(VENV)/.has-plugin $@
