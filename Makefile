# Two commands matter: `make run` opens the demo, `make test` proves the house. Each does all of its own set-up.
.DEFAULT_GOAL := help
SHELL := /bin/bash

# Distributions build Python with optimisation; a plain build costs a quarter more CPU per token.
PYTHON ?= $(shell tools/python.sh)
BIN := .venv/bin
LOCK := requirements.lock
ARGS ?=

.PHONY: help install run conformance check lint test bench soak lock rig messages reference clean

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: .venv/.installed ## .venv with Limen and its development tools

.venv/.installed: $(LOCK) pyproject.toml tools/install.sh
	@tools/install.sh "$(PYTHON)" $(LOCK)

run: install ## the demo: server, sample shop, portal, mailbox
	@$(BIN)/limen demo $(ARGS)

conformance: rig ## Limen for conformance plans: https and mTLS behind HAProxy
	@$(BIN)/python -m tools.conformance $(ARGS)

lint: install
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@PYTHONPATH=. $(BIN)/lint-imports
	@$(BIN)/vulture
	@$(BIN)/deptry src
	@$(BIN)/python tools/lock.py

check: lint rig ## lint, types, contracts and the fast tests, under a minute
	@$(BIN)/pytest -q -n 2 -m "not slow and not soak" tests/architecture tests/kernel tests/platform $(ARGS)

rig: install ## what the tests need beside Python: PostgreSQL, Chromium, Apache, HAProxy, Node packages
	@tools/rig.sh

test: lint rig ## lint, types, contracts and all tests on both databases
	@$(BIN)/pytest -q -n 2 --dist loadgroup -m "not soak" $(ARGS)

bench: rig ## speeds, with node oidc-provider in the same run
	@tools/bench.sh $(ARGS)

soak: rig ## the long proofs, each bounded, each one line with its figure
	@$(BIN)/pytest -q -m soak -s $(ARGS)

lock: install ## new versions into requirements.lock
	@$(BIN)/uv pip compile -q --upgrade --generate-hashes --no-emit-index-url --no-header --extra dev --extra demo --extra otel pyproject.toml -o $(LOCK)

messages: install ## missing texts into the .po files, to be translated
	@$(BIN)/python -m tools.messages --add

reference: install ## docs/reference from the code
	@$(BIN)/python -m tools.reference

clean:
	rm -rf .venv var .mypy_cache .ruff_cache .hypothesis tests/node/node_modules
