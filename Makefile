# Vigie: every job of the repository. `make help` lists them. One line of set-up, then everything runs from .venv.
PYTHON ?= $(firstword $(foreach p,python3 python3.13 python3.12 python3.11,$(if $(shell $(p) -c 'import sys; print(sys.version_info >= (3, 11) or "")' 2>/dev/null),$(p))))
BIN := .venv/bin
READY := .venv/.ready
RUN ?= $(BIN)/
ARGS ?=
# Test processes: one a core. A file stays on one of them, so that what it sets up is set up once.
WORKERS ?= auto
# One thread per numeric library: the suites run beside a server on two cores.
export OMP_NUM_THREADS ?= 1

.DEFAULT_GOAL := help
.PHONY: setup demo test crash load image stack-test compose-test scaffold lint-deploy sbom audit check fmt lint types arch lock clean help

setup: $(READY) ## Make .venv with everything that the other targets need

$(READY): requirements-dev.lock
	@test -n "$(PYTHON)" || { echo "Vigie needs Python 3.11 or newer on the PATH (or: make PYTHON=/path/to/python)"; exit 2; }
	@echo "Setting up .venv, once: some minutes, most of them spent on downloads."
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(READY) ## Run the whole loop on a churn model (ARGS=--once ends by itself)
	$(RUN)vigie demo $(ARGS)

test: $(READY) ## Run the tests (ARGS="-k drift" for some of them)
	$(RUN)python -m pytest --numprocesses $(WORKERS) --dist loadfile $(ARGS)

crash: $(READY) ## Kill, cut the power, fail the disk and spoil requests by the thousand (minutes; needs a C compiler)
	$(RUN)python -m pytest -m "crash or fuzz" tests/crash tests/integration/test_http/test_fuzz.py $(ARGS)

load: $(READY) ## Load a server for minutes: swaps, four times too much, slow clients (wants a quiet machine)
	$(RUN)python -m pytest -m load tests/acceptance/test_load.py $(ARGS)

image: $(READY) ## Build the serving image and try it (ARGS="--target train" for the other one too)
	$(RUN)python deploy/image.py $(ARGS)

stack-test: $(READY) ## Run Prometheus and Alertmanager on a real server, and break it in three ways
	$(RUN)python deploy/stack.py

scaffold: $(READY) ## Make a project with `vigie init`, run its tests and both of its workflows (minutes)
	$(RUN)python -m pytest -m scaffold tests/acceptance/test_scaffold $(ARGS)

# These have an environment of their own: what looks at the packages must not be among them.
TOOLS := .venv-tools/bin
$(TOOLS)/.ready: deploy/requirements-tools.lock
	$(PYTHON) -m venv --clear .venv-tools
	$(TOOLS)/python -m pip install --quiet --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

lint-deploy: $(TOOLS)/.ready ## Lint Dockerfiles, YAML, compose and the Kubernetes manifests
	$(TOOLS)/hadolint --config deploy/hadolint.yaml deploy/Dockerfile deploy/baked.Dockerfile
	$(TOOLS)/yamllint --strict --config-file deploy/yamllint.yaml deploy
	$(TOOLS)/check-jsonschema --builtin-schema vendor.compose-spec deploy/compose.yaml
	$(TOOLS)/python deploy/validate.py

compose-test: $(READY) $(TOOLS)/.ready ## Bring deploy/compose.yaml up as it is, stop its server, hear the page (minutes)
	PATH="$(abspath $(TOOLS)):$$PATH" $(RUN)python deploy/compose_trial.py

sbom: $(TOOLS)/.ready ## Write the bill of materials of what users install to dist/ (CycloneDX)
	@mkdir -p dist
	$(TOOLS)/cyclonedx-py requirements requirements.lock --output-file dist/vigie.cdx.json

audit: $(TOOLS)/.ready ## Look for known vulnerabilities in what users install (asks the network)
	$(TOOLS)/pip-audit --strict --require-hashes --disable-pip --requirement requirements.lock

check: $(READY) fmt-check lint types arch ## What CI runs: format, lint, types, import contracts, locks, tests
	@! grep -nE 'https?://|file:|^--(extra-)?index|^--find-links' *.lock deploy/*.lock tests/acceptance/*/*.lock benchmarks/envs/*/requirements.txt || { echo "a lock file names a host"; exit 1; }
	$(MAKE) --no-print-directory test

fmt: $(READY) ## Format the code
	$(RUN)ruff format .
	$(RUN)ruff check --fix --quiet .

.PHONY: fmt-check
fmt-check: $(READY)
	$(RUN)ruff format --check .

lint: $(READY) ## Lint and spell-check
	$(RUN)ruff check .
	$(RUN)codespell src tests benchmarks deploy docs examples README.md CHANGELOG.md CONTRIBUTING.md

types: $(READY) ## Check types
	$(RUN)mypy

arch: $(READY) ## Check that imports flow one way
	$(RUN)lint-imports

lock: ## Renew the lock files (needs uv)
	uv pip compile -q pyproject.toml --all-extras --universal --generate-hashes --no-header -o requirements.lock
	uv pip compile -q pyproject.toml --all-extras --group dev --universal --generate-hashes --no-header -c requirements.lock -o requirements-dev.lock
	uv pip compile -q deploy/requirements-serve.in --python-version 3.11 --universal --generate-hashes --no-header -c requirements.lock -o requirements-serve.lock
	uv pip compile -q deploy/requirements-build.in --python-version 3.11 --universal --generate-hashes --no-header -c requirements-dev.lock -o deploy/requirements-build.lock
	uv pip compile -q deploy/requirements-tools.in --python-version 3.11 --universal --generate-hashes --no-header -o deploy/requirements-tools.lock
	uv pip compile -q tests/acceptance/test_scaffold/linters.in --python-version 3.11 --universal --generate-hashes --no-header -o tests/acceptance/test_scaffold/linters.lock
	for env in benchmarks/envs/*/; do uv pip compile -q $${env}requirements.in --override benchmarks/envs/overrides.txt --python-version 3.11 --universal --generate-hashes --no-header --no-annotate -o $${env}requirements.txt; done

clean: ## Remove .venv and caches
	rm -rf .venv .venv-tools .mypy_cache .ruff_cache .pytest_cache .import_linter_cache dist

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
