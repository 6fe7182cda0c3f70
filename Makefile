# Each target does its own set-up: uv (see tools/uv) builds the environment from the lock file.
SHELL := /bin/sh
.DEFAULT_GOAL := help

# Compiled bytecode is kept, whatever the shell says.
export SAM_CLI_TELEMETRY := 0
unexport PYTHONDONTWRITEBYTECODE VIRTUAL_ENV PYTHONPATH

UV := tools/uv
RUN := $(UV) run --frozen
# Checked in an environment of its own: what it needs contradicts what AWS SAM CLI needs.
CHECKOV := $(UV) tool run --from checkov==3.3.30 checkov --skip-download --framework cloudformation --compact --quiet
BUILT := .aws-sam/build
export ARCHITECTURE ?= x86_64
JOB := labeling_job/job.toml
DATA := labeling_job/sample

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## one whole labeling job on this machine; for another one: make demo JOB=path/to/job.toml DATA=path/to/folder
	@$(RUN) --no-dev python -m demo --job "$(JOB)" --data "$(DATA)"

.PHONY: label
label: ## the same job for people, in browsers; Ctrl-C keeps all, make label goes on, make label NEW=1 starts another run
	@$(RUN) --no-dev python -m demo.label --job "$(JOB)" --data "$(DATA)" $(if $(FOLDER),--folder "$(FOLDER)") $(if $(NEW),--new)

.PHONY: preview
preview: ## the worker page of each item, following the template as you edit it; for another one: PAGE=path/to/page.html
	@$(RUN) --no-dev python -m demo.preview --job "$(JOB)" --data "$(DATA)" $(if $(PAGE),--page "$(PAGE)")

.PHONY: test
test: ## all tests; for some: make test ARGS="tests/labeling -k vote"
	@$(RUN) pytest -n auto --dist loadfile $(ARGS)

.PHONY: lint
lint: ## format, lint and template checks
	@$(RUN) ruff format --check
	@$(RUN) ruff check
	@$(RUN) sam validate --lint
	@$(RUN) cfn-lint stack/*.yaml
	@$(CHECKOV) --file template.yaml stack/*.yaml

.PHONY: build
build: ## builds what is deployed; for the other processors: make build ARCHITECTURE=arm64
	@$(RUN) sam build --build-dir "$(BUILT)" --parameter-overrides Architecture=$(ARCHITECTURE)
	@$(RUN) python layers/architecture.py "$(BUILT)" $(ARCHITECTURE)
	@$(RUN) python layers/sizes.py "$(BUILT)"

.PHONY: invoke
invoke: ## one event in Lambda's own runtime (needs Docker): make invoke EVENT=events/pre-labeling.json
	@test -d $(BUILT) || $(MAKE) --no-print-directory build
	@$(RUN) python -m demo.lambda_runtime $(EVENT)

.PHONY: types
types: ## mypy --strict
	@$(RUN) mypy

.PHONY: format
format: ## formats the code
	@$(RUN) ruff format
	@$(RUN) ruff check --fix

.PHONY: bench
bench: ## the pre-labeling handler beside a straightforward one; small labeling jobs beside large ones, on SQLite and PostgreSQL
	@$(RUN) python -m benchmarks

.PHONY: chaos
chaos: ## labels 10,000 objects while servers and PostgreSQL are killed, some ten minutes; smaller: make chaos ARGS="--objects 500 --kills 6"
	@$(RUN) python -m benchmarks.chaos $(ARGS)

.PHONY: sample
sample: ## makes the sample welds anew; the bytes are always the same
	@$(RUN) python -m labeling_job.make_sample

.PHONY: pictures
pictures: ## makes the README's pictures anew, in docs/images
	@$(RUN) python -m docs.make_pictures
