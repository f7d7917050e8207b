# One surface for everything: `make demo` and `make test` are all a newcomer needs.
SHELL := /bin/bash
PY    := .venv/bin/python
UV    := .venv/bin/uv
NAME  ?= all
export PYTHONDONTWRITEBYTECODE :=
SOURCES := $(shell find crates -name '*.rs' -o -name 'Cargo.toml' 2>/dev/null) Cargo.toml Cargo.lock pyproject.toml

.PHONY: setup build demo fmt check test e2e mutants bench docs fresh lock

setup: .venv/.setup

.venv/.setup: requirements/dev.txt deploy/setup.sh deploy/needs.sh
	@deploy/setup.sh
	@touch $@

build: .venv/.build

.venv/.build: .venv/.setup $(SOURCES)
	@flock .venv/.build.lock .venv/bin/maturin develop --quiet --release --locked --uv
	@touch $@

demo: build
	@.venv/bin/cq demo

fmt: setup
	@.venv/bin/ruff format .
	@.venv/bin/ruff check --fix .
	@cargo fmt --all

check: build
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/mypy
	@$(PY) -m mypy.stubtest crypto_quant._native
	@.venv/bin/lint-imports --no-cache
	@cargo fmt --all --check
	@cargo clippy --locked --workspace --all-targets --quiet -- -D warnings
	@RUSTDOCFLAGS='-D warnings' cargo doc --locked --workspace --no-deps --quiet

test: check
	@cargo test --locked --workspace --quiet
	@$(PY) -m pytest -n 2 --dist loadgroup

e2e: build
	@$(PY) -m pytest tests/e2e

mutants: build
	@$(PY) -m tests.mutants

bench: build
	@$(PY) -m benches $(NAME)

docs: setup
	@NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --strict --quiet

fresh:
	@deploy/fresh.sh

lock: setup
	@$(UV) pip compile --quiet --generate-hashes --no-emit-index-url --python-version 3.11 \
	  --extra models --extra report --extra ray --extra docs --extra dev -o requirements/dev.txt pyproject.toml
	@cargo update --workspace --quiet
