# Every target that needs the Python environment makes or updates it first; `make help` lists all.

DS      ?= 1998-03-31
MODEL   ?= melu
FROM    ?= 1998-03-02
TO      ?= 1998-03-03
SOURCE  ?=
DATA    ?=
SIZES   ?= 1e6,1e7
ROWS    ?= 5e6,5e7
PYTHON  ?= $(shell command -v python3.11 || command -v python3)

VENV_PYTHON := .venv/bin/python
SHELL       := /bin/bash
.DEFAULT_GOAL := help

# Quoted for the shell: a value is one argument, whatever is in it.
quoted = '$(subst ','\'',$(1))'

ifneq ($(strip $(SOURCE)),)
export COLDSTART_SOURCE := $(SOURCE)
endif
unexport PYTHONPATH

.PHONY: help install nightly backfill ui test benchmark benchmark-features benchmark-warehouse lint format docs clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: ## make or update .venv (the other targets do it by themselves)
	@$(call quoted,$(PYTHON)) local/install.py

nightly: install ## run one night and show what it produced: DS=1998-03-31 MODEL=melu SOURCE=folder
	@$(VENV_PYTHON) -m local nightly --ds $(call quoted,$(DS)) --model $(call quoted,$(MODEL))

backfill: install ## run past days by Airflow's backfill: FROM=1998-03-02 TO=1998-03-03 MODEL=melu
	@$(VENV_PYTHON) -m local backfill --from $(call quoted,$(FROM)) --to $(call quoted,$(TO)) \
		--model $(call quoted,$(MODEL))

ui: install ## serve Airflow on 127.0.0.1 until Ctrl-C; SCHEDULE=on starts the night every night
	@SCHEDULE=$(call quoted,$(SCHEDULE)) $(VENV_PYTHON) -m local ui

test: lint ## lint, then run every test
	@$(VENV_PYTHON) -m pytest

benchmark: install ## measure throughput, scaling and, with DATA=folder, accuracy; write docs/benchmarks
	@$(VENV_PYTHON) -m benchmarks.throughput --json docs/benchmarks/throughput.json
	@$(VENV_PYTHON) -m benchmarks.throughput --learner all --json docs/benchmarks/learners-throughput.json
	@$(VENV_PYTHON) -m benchmarks.scaling --json docs/benchmarks/scaling.json
ifneq ($(strip $(DATA)),)
	@for dataset in ml-1m dbook; do \
		$(VENV_PYTHON) -m benchmarks.accuracy --data $(call quoted,$(DATA)) --dataset $$dataset \
			--ablations --seeds 2 --json docs/benchmarks/accuracy-$$dataset.json || exit; \
	done
	@for dataset in ml-1m dbook toys; do \
		$(VENV_PYTHON) -m benchmarks.accuracy --data $(call quoted,$(DATA)) --dataset $$dataset \
			--learner all --ablations --json docs/benchmarks/learners-$$dataset.json || exit; \
	done
else
	@echo "accuracy is not measured: name the folder of the public splits, DATA=/path/to/splits"
endif
	@$(VENV_PYTHON) -m benchmarks.report

benchmark-features: install ## measure the night's features beside DuckDB: SIZES=1e6,1e7
	@$(VENV_PYTHON) -m benchmarks.features --sizes $(call quoted,$(SIZES)) \
		--json docs/benchmarks/features.json
	@$(VENV_PYTHON) -m benchmarks.report

benchmark-warehouse: install ## measure publications and their readers: ROWS=5e6,5e7
	@$(VENV_PYTHON) -m benchmarks.warehouse --sizes $(call quoted,$(ROWS)) \
		--json docs/benchmarks/warehouse.json
	@$(VENV_PYTHON) -m benchmarks.report

lint: install ## check format, lint, types and the one-way imports
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports

format: install ## format the code and mend what lint can mend
	@.venv/bin/ruff format .
	@.venv/bin/ruff check --fix .

docs: install ## generate the documentation pages of the tables
	@$(VENV_PYTHON) -m schemas.docs

clean: ## remove the environment and caches; run-time state (var/) stays
	@rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
