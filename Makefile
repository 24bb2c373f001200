# Every target does its own set-up in .venv; nothing outside this folder is changed.
# What takes options gets them from ARGS, e.g. make test ARGS="-k linking", make serve ARGS="--port 9000".

VENV := .venv
RUN := $(VENV)/bin
APP := src/untether/server/webapp/manifest.json
APP_SOURCES := $(shell find webapp/src webapp/public src/untether tools -type f \( -name '*.py' -o -name '*.sql' -o -name '*.ts' \
	-o -name '*.svelte' -o -name '*.css' -o -name '*.mjs' -o -name '*.svg' -o -name '*.webmanifest' \) 2>/dev/null) \
	$(wildcard webapp/*.json webapp/*.ts webapp/*.html)
CODE := $(wildcard src tests benchmarks vectors tools simulation fuzz)
ARGS ?=
# One process more than processors, since many tests wait for others.
WORKERS := $(shell echo $$(($$(getconf _NPROCESSORS_ONLN) + 1)))

# Compile each module once, also where the environment says otherwise: tests start many processes.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo serve webapp test check bench bench-web simulate planted models crashes fuzz tables clean
.DELETE_ON_ERROR:

help: ## show these targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 16

demo: $(VENV)/.installed-run ## tell the story in this terminal: two people, five devices
	@$(RUN)/untether demo $(ARGS)

serve: $(VENV)/.installed-run $(APP) ## run a relay with the web app on this machine
	@$(RUN)/untether serve $(ARGS)

webapp: $(APP) ## build the web app that `serve` serves

test: $(VENV)/.installed-test webapp/node_modules ## run all tests and hold the coverage of the core
	@$(RUN)/python -m pytest -n $(WORKERS) --dist worksteal --cov --cov-report term:skip-covered $(ARGS)

check: $(VENV)/.installed-check webapp/node_modules ## format, lint, types and layers
	@$(RUN)/ruff format --quiet --check $(CODE)
	@$(RUN)/ruff check --quiet $(CODE)
	@$(RUN)/mypy $(CODE)
	@$(RUN)/lint-imports
	@$(RUN)/python tools/check_webapp.py

bench: $(VENV)/.installed-bench ## measure against peers, in the same run
	@$(RUN)/python benchmarks $(ARGS)

bench-web: $(VENV)/.installed-test $(APP) ## measure the web app in a real browser
	@$(RUN)/python benchmarks web $(ARGS)

simulate: $(VENV)/.installed-test ## run many simulated worlds, e.g. ARGS="--from 1000 --seeds 500"
	@$(RUN)/python -m simulation --jobs $$(nproc) --evidence --record $(ARGS)

planted: $(VENV)/.installed-test ## break rules on purpose and see who notices, e.g. ARGS="lease-ignored"
	@$(RUN)/python -m tests.planted --jobs $$(nproc) $(ARGS)

models: $(VENV)/.installed-test ## search every state of the models in docs/models (needs Spin)
	@$(RUN)/python -m tests.models

crashes: $(VENV)/.installed-test ## cut the power at every write, kill relays a hundred times
	@$(RUN)/python -m tests.crashes $(ARGS)

fuzz: $(VENV)/.installed-fuzz ## give every reader hostile bytes, e.g. ARGS="link-text --seconds 600"
	@$(RUN)/python -m fuzz $(ARGS)

tables: $(VENV)/.installed-run ## write the tables of documents and screens from the code
	@$(RUN)/python tools/write_spec_tables.py
	@$(RUN)/python tools/write_screen_types.py

clean: ## remove everything that these targets made
	rm -rf $(VENV) webapp/node_modules src/untether/server/webapp build dist .coverage* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- Set-up: one stamp for each set of packages, made again when pyproject.toml changes -------

# The mark carries the folder's path: in a moved or copied folder .venv is made anew.
MARK := $(VENV)/.made-in$(subst /,-,$(CURDIR))

$(VENV)/.installed-run: EXTRAS :=
$(VENV)/.installed-test: EXTRAS := [test,web]
$(VENV)/.installed-check: EXTRAS := [dev,test,web,bench]
$(VENV)/.installed-bench: EXTRAS := [bench]
$(VENV)/.installed-web: EXTRAS := [web]
$(VENV)/.installed-fuzz: EXTRAS := [test,fuzz]

$(VENV)/.installed-%: pyproject.toml $(MARK)
	@echo "Installing Untether$(EXTRAS) into $(VENV) ..." >&2
	@$(RUN)/python -m pip install --quiet --disable-pip-version-check --editable ".$(EXTRAS)"
	@touch $@

# Where Node.js can't be had, the tests in browsers say so, and so does the check of types.
webapp/node_modules: webapp/package-lock.json | $(MARK)
	@echo "Fetching the packages of the web app ..." >&2
	@cd webapp && ../$(RUN)/python ../tools/nodejs.py ci --ignore-scripts --no-audit --no-fund --silent \
		&& touch node_modules || echo "The packages of the web app are missing: no tests in a browser, and no check of types." >&2

$(APP): $(VENV)/.installed-web $(APP_SOURCES) | webapp/node_modules
	@echo "Building the web app ..." >&2
	@$(RUN)/python tools/build_webapp.py

$(MARK):
	@sh tools/make-venv.sh $(VENV)
	@touch $@
