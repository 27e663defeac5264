# The doors of Lockgate. `make run` needs nothing but Rust; every target installs what it lacks (see .ci/setup).
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.ONESHELL:
MAKEFLAGS += --no-print-directory

# What is kept between checkouts: build output, Kafka's jars, tools for tests. Safe to delete at any time.
export LOCKGATE_CACHE ?= $(HOME)/.cache/lockgate
export CARGO_TARGET_DIR ?= $(LOCKGATE_CACHE)/target
export LOCKGATE_GUEST_TARGET ?= $(LOCKGATE_CACHE)/guests

.PHONY: help run test test-long fuzz bench lint fmt plugins guests setup setup-test clean

help: ## Lists the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 20

run: setup plugins ## Starts Lockgate with a real Kafka and two pipelines here; Ctrl-C stops (ARGS="--help" lists options)
	@cargo build --release --locked --package lockgate
	exec "$$CARGO_TARGET_DIR/release/lockgate" dev $(ARGS)

test: setup-test ## Runs every test: tidy, unit, property, simulation, contract, e2e, crash, faults
	@exec .ci/test

test-long: setup-test ## As `test`, with the broker away for two minutes and a thousand seeds
	@LOCKGATE_TEST_LONG=1 exec .ci/test

fuzz: setup ## Mutated bytes through every decoder for LOCKGATE_FUZZ_SECONDS (default 300); LOCKGATE_FUZZ_SEED repeats a run
	@LOCKGATE_FUZZ_SECONDS="$${LOCKGATE_FUZZ_SECONDS:-300}" cargo test --locked --package lockgate-convert --test formats -- --nocapture fuzz

bench: setup plugins guests ## Measures against the raw client loop (tests/bench/README.md); ARGS="sink-1k" picks cases
	@tests/bench/guests/build.sh dist/bench
	cargo build --release --locked --package lockgate --package lockgate-bench --package lockgate-wasm --bins --example naive \
		--features lockgate-wasm/naive
	exec "$$CARGO_TARGET_DIR/release/lockgate-bench" $(ARGS)

lint: ## Formatting, clippy, dependency rules
	@exec .ci/lint

fmt: ## Formats all Rust code
	@.ci/each-workspace cargo fmt --all

plugins: setup ## Builds the bundled packages into dist/packages
	@.ci/build-guests plugins dist/packages

guests: setup-test ## Builds the guests of the tests into dist/guests
	@.ci/build-guests tests/guests dist/guests

setup: ## Installs what building and running need
	@.ci/setup run

setup-test: ## Installs what the tests need beyond that
	@.ci/setup test

clean: ## Removes dist and the worker's development data, not the cache
	@rm -rf dist .lockgate
