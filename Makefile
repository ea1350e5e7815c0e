# Everything happens in .venv, from the locks alone: `make demo` needs Python 3.11 and nothing else.
# PYTHON=... chooses another interpreter (3.11 to 3.13). WORKERS=0 runs the tests in one process; three keep two cores busy,
# for a third of a test's time is waiting, and have 1.6 GB each.
# TESTS=tests/metrics/metrics_test.py runs a part of them, slow ones too, UPGRADE=--upgrade lets `make lock` take newer versions.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-builtin-rules
.DELETE_ON_ERROR:
.PHONY: help demo test test-all lint docs types lock proto
.NOTPARALLEL:

PYTHON ?= $(shell for name in python3.11 python3; do \
	"$$name" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' >/dev/null 2>&1 && echo "$$name" && break; done)
WORKERS ?= 3
TESTS ?=
UPGRADE ?=

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
LOCKED := $(PIP) install --quiet --require-hashes --no-build-isolation
LOCK_TOOLS := build/lock
PROTO_TOOLS := build/proto
# The packages as they are installed, export/ as agegait.export, for mypy and the API reference.
TYPES := build/types
# The site's tools have an environment of their own: they read our sources and import nothing of them.
DOCS := build/docs

# TensorFlow's start-up chatter buries what the tests say.
export TF_CPP_MIN_LOG_LEVEL ?= 3

help:
	@echo 'make demo       train, evaluate, export, serve and identify a walker, small, on synthetic walks (a few minutes)'
	@echo 'make test       the quick tests (three minutes on two cores)'
	@echo 'make test-all   those marked slow too'
	@echo 'make lint       ruff, mypy and import-linter'
	@echo 'make docs       the documentation as a site, in build/site'
	@echo 'make proto      write agegait/serving/*_pb2.py from wire.proto and gallery.proto'
	@echo 'make lock       resolve the dependencies of pyproject.toml again and write the requirements*.lock'

demo: $(VENV)/runtime.stamp
	$(BIN)/agegait demo --out demo

test: MARKED := $(if $(TESTS),,-m 'not slow')
# Kept even where the environment says not to: else each run compiles each test anew, half a minute on one core.
test test-all: export PYTHONDONTWRITEBYTECODE :=
# A worker has a core: threads that wait for each other on small arrays take a third more of both.
test test-all: export OMP_NUM_THREADS ?= 1
test test-all: export OPENBLAS_NUM_THREADS ?= 1
test test-all: export TF_NUM_INTRAOP_THREADS ?= 1
# All of Hypothesis's examples: see tests/support/budget.py.
test-all: export HYPOTHESIS_PROFILE := ci
test test-all: $(VENV)/test.stamp
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(MARKED) $(TESTS)

types:
	@rm -rf $(TYPES) && mkdir -p $(TYPES)/agegait
	@ln -s $(CURDIR)/agegait/* $(CURDIR)/export $(TYPES)/agegait && ln -s $(CURDIR)/tfds_builders $(TYPES)

lint: $(VENV)/test.stamp types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	cd $(TYPES) && $(CURDIR)/$(BIN)/python -m mypy --config-file $(CURDIR)/pyproject.toml agegait tfds_builders
	cd $(TYPES) && PYTHONPATH=. $(CURDIR)/$(BIN)/lint-imports $(CURDIR)/pyproject.toml --no-cache

docs: $(DOCS)/docs.stamp types
	NO_MKDOCS_2_WARNING=1 $(DOCS)/bin/mkdocs build --strict

$(DOCS)/docs.stamp: $(VENV)/venv.stamp requirements-docs.lock
	@$(BIN)/python -m venv --clear $(DOCS)
	@$(DOCS)/bin/python -m pip --disable-pip-version-check --no-input install --quiet --require-hashes -r requirements-docs.lock
	@touch $@

# A stamp is written when its step is over.
$(VENV)/venv.stamp:
	@if ! $(BIN)/python -c 'import pip, sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' >/dev/null 2>&1; then \
		if [ -z "$(PYTHON)" ]; then \
			echo 'agegait needs Python 3.11: neither python3.11 nor python3 is one. Install it, or name a supported' \
				'interpreter (3.11 to 3.13): make PYTHON=/path/to/python' >&2; exit 1; fi; \
		$(PYTHON) -c 'import sys; v = sys.version_info; (3, 11) <= v < (3, 14) or sys.exit(f"agegait needs Python 3.11 to 3.13; $(PYTHON) is {v[0]}.{v[1]}")'; \
		echo 'Making $(VENV)'; \
		$(PYTHON) -m venv --clear $(VENV); \
	fi
	@touch $@

# What was cut short is no base to build on: pip takes a package for installed before all of its files are there.
# setuptools comes first and builds what comes as source, so that no build fetches a version which nobody chose.
define install
	@if [ -e $(VENV)/unfinished ]; then \
		echo 'The last installation was cut short: starting over'; \
		"$$(readlink -f $(BIN)/python)" -m venv --clear $(VENV); \
		touch $(VENV)/venv.stamp; \
	fi
	@echo 'Installing what $(1) lists: over 2 GB, a minute or two the first time'
	@touch $(VENV)/unfinished
	@$(LOCKED) -r requirements-build.lock
	@$(LOCKED) -r $(1)
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@rm $(VENV)/unfinished
endef

INSTALLED_FROM := $(VENV)/venv.stamp requirements-build.lock requirements.lock pyproject.toml setup.py

$(VENV)/runtime.stamp: $(INSTALLED_FROM)
	$(call install,requirements.lock)
	@touch $@

$(VENV)/test.stamp: $(INSTALLED_FROM) requirements-test.lock
	$(call install,requirements-test.lock)
	@touch $(VENV)/runtime.stamp $@

lock: $(VENV)/venv.stamp
	@$(BIN)/python -m venv --clear $(LOCK_TOOLS)
	@$(LOCK_TOOLS)/bin/python -m pip --disable-pip-version-check install --quiet uv
	@compile() { \
		cp "$$1" "$$1.new" 2>/dev/null || true; \
		$(LOCK_TOOLS)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-config \
			--custom-compile-command 'make lock' --output-file "$$1.new" $(UPGRADE) "$${@:2}"; \
	}; \
	trap 'rm -rf requirements*.lock.new $(LOCK_TOOLS)' EXIT; \
	compile requirements-test.lock pyproject.toml --extra test; \
	compile requirements.lock pyproject.toml --extra postgres --constraints requirements-test.lock.new; \
	printf 'setuptools\nwheel\n' | compile requirements-build.lock - --constraints requirements-test.lock.new; \
	compile requirements-client.lock --group client --constraints requirements-test.lock.new; \
	compile requirements-docs.lock --group docs --constraints requirements-test.lock.new; \
	for lock in requirements requirements-test requirements-build requirements-client requirements-docs; do \
		sed -i 's/requirements-test\.lock\.new/requirements-test.lock/' "$$lock.lock.new"; \
		mv "$$lock.lock.new" "$$lock.lock"; \
	done

# protoc 31.1, whose code runs with the oldest protobuf that pyproject.toml takes.
proto: $(VENV)/venv.stamp
	@$(BIN)/python -m venv --clear $(PROTO_TOOLS)
	@$(PROTO_TOOLS)/bin/python -m pip --disable-pip-version-check install --quiet grpcio-tools==1.76.0 setuptools
	@$(PROTO_TOOLS)/bin/python -m grpc_tools.protoc -I. --python_out=. --pyi_out=. agegait/serving/wire.proto agegait/serving/gallery.proto
	@rm -r $(PROTO_TOOLS)
