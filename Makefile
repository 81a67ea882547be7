# Everything a developer does, by name. `make` alone lists it.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test lint fmt bench bench-mime fuzz siege torture scale constraints clean

BIN := .venv/bin

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .venv/.runtime ## run gateway and sandbox together on this machine; ONCE=1 sends one mail through both APIs and ends
	@$(BIN)/relay demo $(if $(ONCE),--once)

test: .venv/.dev ## run every test with branch coverage; ARGS="tests/house -x" runs some, without the coverage limit
	@.ci/system-packages
	@$(BIN)/python -m pytest --cov $(if $(ARGS),--cov-fail-under=0 $(ARGS))

lint: .venv/.dev ## check style, format and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

fmt: .venv/.dev ## format, and mend what can be mended
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

bench: .venv/.dev ## measure on this machine, against Postfix; ARGS="--all", ARGS="--case e2e-2k"
	@.ci/system-packages postfix
	@PYTHONPATH=tests $(BIN)/python tests/bench/figures.py $(ARGS)

bench-mime: .venv/.dev ## measure how fast mail becomes JSON, against other parsers; ARGS="--mail '2 KB, text and HTML'"
	@PYTHONPATH=tests $(BIN)/python tests/bench/bench_mime.py $(ARGS)

fuzz: .venv/.dev ## search for mail that raises, hangs or grows, for five minutes; ARGS="-max_total_time=3600"
	@$(BIN)/python tests/fuzz/corpus.py
	@$(BIN)/python tests/fuzz/fuzz.py -max_total_time=300 $(ARGS) tests/fuzz/corpus

siege: .venv/.dev ## attack a running gateway for minutes, where make test does it for seconds; ARGS="-k bytes" runs some
	@.ci/system-packages
	@SIEGE=long $(BIN)/python -m pytest tests/siege tests/sandbox/test_sandbox_openapi.py $(ARGS)

torture: .venv/.dev ## kill a gateway under load 1,500 times, where make test does it a few times; prints what came of it
	@.ci/system-packages
	@TORTURE=long $(BIN)/python -m pytest tests/torture -s $(ARGS)

scale: .venv/.dev ## measure the store with 0, 100,000 and a million messages waiting; ARGS="--waiting 50000", ARGS="--store sqlite"
	@PYTHONPATH=tests $(BIN)/python tests/scale/rates.py $(ARGS)

constraints: .venv/.dev ## renew constraints.txt with the newest versions that fit
	@$(BIN)/python -m pip install --quiet --upgrade --upgrade-strategy eager --editable '.[dev]'
	@{ sed -n '/^#/p' constraints.txt; $(BIN)/python -m pip freeze --exclude-editable; } >constraints.new
	@mv constraints.new constraints.txt

clean: ## remove everything that can be made again
	@rm -rf .venv build dist .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis tests/.parts
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps are remade when what is to be installed changes, or when .venv is gone.
.venv/.runtime: pyproject.toml constraints.txt .ci/make-venv
	@.ci/make-venv
	@touch $@

.venv/.dev: pyproject.toml constraints.txt .ci/make-venv
	@.ci/make-venv dev
	@touch $@ .venv/.runtime
