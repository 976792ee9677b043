# Each target does its own set-up; a second run does not install again.
#   make demo      the main job on made-up scenes of real digits, about 5 minutes
#   make test      the tests
#   make test PADDLE=3.3.1   the tests in an environment of that Paddle, .venv-3.3.1; or 2.6.2, or
#                  none: what needs no Paddle (2.6.2-3.10, none-3.13: with that Python).
#                  TESTS=tests/compat chooses
#   make check     what a contributor runs: format, lint, types, layers, scripts of the page, tests
#   make bench     speed, each figure beside what it replaces, in one run
#   make fuzz      damaged files against readers and whole commands (INPUTS=200000)
#   make audit     known weaknesses of every locked package (needs the network)
#   make docs      write docs/api.md, operators.md and commands.md from the source
#   make site      the documentation as a site, in build/site
#   make survey    networks of other libraries, exported and looked at: docs/coverage.md
#   make lock      resolve requirements/*.txt anew
DEVICE ?= cpu
INPUTS ?= 200000
PYTHON ?= python3
PADDLE ?=
ENV := .venv$(if $(PADDLE),-$(PADDLE))
BIN := $(ENV)/bin
TESTS ?= $(if $(filter none%,$(PADDLE)),-m "not paddle")

.PHONY: install demo test lint check format bench fuzz audit docs site survey lock clean

install:
	@$(PYTHON) tools/install.py --device $(DEVICE) --into $(ENV) $(if $(PADDLE),--paddle $(PADDLE))

demo: install
	@$(BIN)/python tools/demo.py

test: install
	@$(BIN)/python -m pytest -n 2 --dist loadscope $(TESTS)

lint: install
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(PYTHON) tools/javascript.py

check: lint test

format: install
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .
	@$(PYTHON) tools/javascript.py format

bench: install
	@$(BIN)/python tools/bench.py

fuzz: install
	@$(BIN)/python tools/fuzz.py --target readers --inputs $(INPUTS)
	@$(BIN)/python tools/fuzz.py --target files --inputs $(INPUTS)
	@$(BIN)/python tools/fuzz.py --target commands --inputs $$(($(INPUTS) / 100))

audit:
	@$(PYTHON) tools/audit.py $(LOCKS)

docs: install
	@$(BIN)/python tools/api_docs.py
	@$(BIN)/python tools/operator_docs.py
	@$(BIN)/python tools/command_docs.py

site: install
	@test -x .tools/site/bin/mkdocs || { echo "installing mkdocs-material into .tools/site"; \
	  $(PYTHON) -m venv .tools/site && .tools/site/bin/pip install -q "mkdocs-material>=9.5,<10"; }
	@NO_MKDOCS_2_WARNING=1 SITE_NAME="$$($(BIN)/graphprobe --version)" .tools/site/bin/mkdocs build -q
	@echo "wrote build/site/index.html"

survey: install
	@$(BIN)/python -m tools.survey

lock:
	@$(PYTHON) tools/lock.py

clean:
	rm -rf .venv .venv-* .tools .cache build dist *.egg-info
