# Every target that needs the Python environment makes or updates it first; `make help` lists all.

DS      ?= 1998-03-31
MODEL   ?=
FROM    ?= 1998-03-30
TO      ?= 1998-03-31
SOURCE  ?=
DATA    ?=
SIZES   ?= 1e6,1e7
ROWS    ?= 5e6,5e7
WORKERS ?= 2
MINUTES ?=
PYTHON  ?=

VENV_PYTHON := .venv/bin/python
SHELL       := /bin/bash
.DEFAULT_GOAL := help

# Quoted for the shell: a value is one argument, whatever is in it.
quoted = '$(subst ','\'',$(1))'

ifneq ($(strip $(SOURCE)),)
export COLDSTART_SOURCE := $(SOURCE)
endif
unexport PYTHONPATH

# Modules of tests that share what takes long to make go to one worker: tests/suite/lanes.py.
PYTEST := $(VENV_PYTHON) -m pytest -n $(call quoted,$(WORKERS)) --dist loadscope --no-loadscope-reorder

.PHONY: help install nightly backfill ui test test-fast test-slow test-longest test-ui tests-but-slow benchmark benchmark-features benchmark-warehouse benchmark-evidence benchmark-lists benchmark-nights benchmarks-stale lint compose-check compose-files format constraints docs clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-20s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: ## make or update .venv (the other targets do it by themselves): PYTHON=/path/to/python3.13
	@PYTHON=$(call quoted,$(PYTHON)) local/setup.sh

nightly: install ## run one night and show what it produced: DS=1998-03-31 MODEL=ridge SOURCE=folder
	@$(VENV_PYTHON) -m local nightly --ds $(call quoted,$(DS)) --model $(call quoted,$(MODEL))

backfill: install ## run past days by Airflow's backfill: FROM=1998-03-30 TO=1998-03-31 MODEL=ridge
	@$(VENV_PYTHON) -m local backfill --from $(call quoted,$(FROM)) --to $(call quoted,$(TO)) \
		--model $(call quoted,$(MODEL))

ui: install ## serve Airflow on 127.0.0.1 until Ctrl-C; SCHEDULE=on starts the night every night
	@SCHEDULE=$(call quoted,$(SCHEDULE)) $(VENV_PYTHON) -m local ui

test: install ## lint, types, docker/'s files, and all but the slow tests, side by side: WORKERS=2
	@$(MAKE) --no-print-directory -j3 lint compose-files tests-but-slow

tests-but-slow: install ## the tests of `make test` alone
	@$(PYTEST) -m "not slow and not longest"

test-fast: install ## the tests without a JVM, a server or a browser
	@$(PYTEST) -m "fast and not slow and not longest" --hypothesis-profile fast

test-slow: install ## nights under Airflow and in a browser, kills, time zones: MINUTES=30
	@$(PYTEST) -m slow -rs $(if $(strip $(MINUTES)),--minutes $(call quoted,$(MINUTES)))

test-longest: install ## whole nights of every learner, three days in a browser, properties at length: MINUTES=30
	@$(PYTEST) -m "longest or hypothesis" --hypothesis-profile nightly -rs \
		$(if $(strip $(MINUTES)),--minutes $(call quoted,$(MINUTES)))

benchmark: install ## measure throughput, also of lists, scaling and, with DATA=folder, accuracy; write docs/benchmarks
	@$(VENV_PYTHON) -m benchmarks.throughput --json docs/benchmarks/throughput.json
	@$(VENV_PYTHON) -m benchmarks.throughput --learner all --json docs/benchmarks/learners-throughput.json
	@$(VENV_PYTHON) -m benchmarks.lists_throughput --json docs/benchmarks/throughput-lists.json
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

benchmark-evidence: install ## measure lists to ask about, on MovieLens-100K and, with DATA=folder, others
	@$(VENV_PYTHON) -m jobs fetch
	@for program in evidence adaptive; do \
		page=$${program/adaptive/next-question}; seeds=; \
		if [ $$program = evidence ]; then seeds="--repeats 3"; fi; \
		$(VENV_PYTHON) -m benchmarks.$$program --data "$${COLDSTART_HOME:-var}/datasets" \
			--dataset ml-100k --folds 3 $$seeds --json docs/benchmarks/$$page-ml-100k.json || exit; \
		if [ -n $(call quoted,$(strip $(DATA))) ]; then \
			$(VENV_PYTHON) -m benchmarks.$$program --data $(call quoted,$(DATA)) \
				--dataset ml-1m --folds 3 $$seeds --json docs/benchmarks/$$page-ml-1m.json || exit; \
		else \
			echo "only ml-100k is measured: name the folder of the public splits, DATA=/path"; \
		fi; \
	done
	@if [ -n $(call quoted,$(strip $(DATA))) ]; then \
		$(VENV_PYTHON) -m benchmarks.evidence --data $(call quoted,$(DATA)) \
			--dataset dbook --repeats 3 --json docs/benchmarks/evidence-dbook.json; \
	fi
	@$(VENV_PYTHON) -m benchmarks.report

# The peers are other people's code, and need versions of NumPy and SciPy of their own.
# Of MovieLens-100K every user is new once; of the others, whom the split or the night holds out.
benchmark-lists: install ## measure lists beside LensKit and implicit, on MovieLens-100K and, with DATA=folder, others
	@$(VENV_PYTHON) -m venv .venv-peers
	@.venv-peers/bin/python -m pip install --quiet --requirement benchmarks/peers/requirements.txt
	@$(VENV_PYTHON) -m jobs fetch
	@$(VENV_PYTHON) -m benchmarks.lists --data "$${COLDSTART_HOME:-var}/datasets" \
		--dataset ml-100k --folds 3 --peers .venv-peers/bin/python \
		--json docs/benchmarks/lists-ml-100k.json
ifneq ($(strip $(DATA)),)
	@for dataset in ml-1m dbook toys; do \
		if [ ! -d $(call quoted,$(DATA))/$$dataset ]; then \
			echo "$$dataset is not measured: the folder has no $$dataset"; continue; \
		fi; \
		$(VENV_PYTHON) -m benchmarks.lists --data $(call quoted,$(DATA)) --dataset $$dataset \
			--peers .venv-peers/bin/python --json docs/benchmarks/lists-$$dataset.json || exit; \
		if [ $$dataset = toys ]; then continue; fi; \
		$(VENV_PYTHON) -m benchmarks.new_items --data $(call quoted,$(DATA)) --dataset $$dataset \
			--json docs/benchmarks/new-items-$$dataset.json || exit; \
	done
else
	@echo "only ml-100k is measured: name the folder of the public splits, DATA=/path/to/splits"
endif
	@$(VENV_PYTHON) -m benchmarks.report

benchmark-nights: install ## measure the lists of five nights of MovieLens-100K and, with DATA=folder, two of toys
	@$(VENV_PYTHON) -m jobs fetch
	@$(VENV_PYTHON) -m benchmarks.nights --data "$${COLDSTART_HOME:-var}/datasets" \
		--json docs/benchmarks/nights-ml-100k.json
	@if [ -d $(call quoted,$(DATA))/toys ]; then \
		$(VENV_PYTHON) -m benchmarks.nights --data $(call quoted,$(DATA)) --dataset toys \
			--json docs/benchmarks/nights-toys.json; \
	else echo "only ml-100k is measured: name the folder that has toys, DATA=/path/to/splits"; fi
	@$(VENV_PYTHON) -m benchmarks.report

test-ui: install ## run the tests that drive a browser alone; they need a Chromium on PATH
	@$(VENV_PYTHON) -m pytest tests/ui

benchmarks-stale: install ## list pages of docs/benchmarks that are older than what they measure
	@$(VENV_PYTHON) -m benchmarks.stale

lint: install ## check format, lint, types and the one-way imports
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports

compose-check: compose-files ## check docker/: its files, and what docs/deployment.md says of them
	@$(VENV_PYTHON) -m pytest tests/docker/test_dockerfile.py tests/docker/test_compose.py

compose-files: install ## check docker/: Dockerfile, compose files, scripts (no engine is needed)
	@.venv/bin/hadolint docker/Dockerfile
	@.venv/bin/check-jsonschema --builtin-schema vendor.compose-spec docker/compose*.yaml
	@for script in docker/scripts/*.sh; do bash -n "$$script" || exit; done
	@.venv/bin/mypy --strict docker/scripts/*.py docker/kubernetes/*.py

format: install ## format the code and mend what lint can fix
	@.venv/bin/ruff format .
	@.venv/bin/ruff check --fix .

# Universal: for every Python, system and processor, in markers. A pin stays unless something asks
# for another; to raise one, change its line first. No address of an index gets into the file.
constraints: install ## pin what pyproject.toml needs and all that it needs, in constraints.txt
	@.venv/bin/uv pip compile --quiet --universal --python-version 3.11 --extra dev \
		--no-annotate --no-emit-index-url --no-emit-find-links \
		--custom-compile-command "make constraints" --output-file constraints.txt pyproject.toml

docs: install ## make docs/tables.md, docs/options.md and README's picture, and the site in var/site
	@$(VENV_PYTHON) -m schemas.docs
	@$(VENV_PYTHON) -m meta_model options > docs/options.md
	@.venv/bin/mkdocs build --quiet

clean: ## remove the environment and caches; run-time state (var/) stays
	@rm -rf .venv .venv-peers .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
