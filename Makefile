# Deep Learning, Live. `make help` lists what there is; `make book` and `make test` are enough for most.

VENV     ?= .venv
BIN      := $(VENV)/bin
STAMP    := $(VENV)/.installed
SITE     := _build/html/index.html
# Executing notebooks uses a quiet IPython profile of its own, never the reader's.
PROFILE  := _build/ipython/profile_default/ipython_kernel_config.py
QUIET    := IPYTHONDIR=$(CURDIR)/_build/ipython

# PyTorch's threads otherwise spin while they wait for one another. On a machine that does something else as well, that makes a
# training step up to ten times slower; on an idle one it makes no difference that we could measure.
export OMP_WAIT_POLICY ?= passive

.DEFAULT_GOAL := help
.PHONY: help book open test lab install lint types layers unit notebooks site bench clean build-site vendor

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# ---------------------------------------------------------------- the two commands, and the lab

book: build-site ## Build the book: set-up, execution of the notebooks, site
	@echo
	@echo "The book is built: $(CURDIR)/$(SITE)"
	@echo "Open that file in a browser, or run 'make open'."

test: lint types layers unit notebooks site ## Check everything
	@echo
	@echo "Everything passes."

lab: install ## Open the chapters in JupyterLab
	$(BIN)/jupyter lab --notebook-dir=. notebooks

open: build-site ## Build the book and open it in the browser
	@$(BIN)/python -m webbrowser "file://$(CURDIR)/$(SITE)"

# ---------------------------------------------------------------- set-up

install: $(STAMP) ## Make .venv with the pinned requirements (done by every command that needs it)

$(STAMP): requirements.txt pyproject.toml
	@python=; for candidate in "$(PYTHON)" python3 python3.13 python3.12 python3.11; do \
	  if [ -n "$$candidate" ] && "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	  then python=$$candidate; break; fi; done; \
	if [ -z "$$python" ]; then \
	  echo "This course needs Python 3.11 or newer; found: $$(python3 --version 2>&1)."; \
	  echo "Install one (python.org, your package manager, or uv), or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python"; \
	  exit 1; fi; \
	if [ ! -x $(BIN)/python ]; then \
	  echo "Making $(VENV) with $$($$python --version)"; \
	  "$$python" -m venv $(VENV) || { rm -rf $(VENV); echo "Python cannot make a virtual environment here (Debian and Ubuntu: apt-get install python3-venv)."; exit 1; }; fi
	@echo "Installing the pinned requirements into $(VENV) (the first time this takes a few minutes)"
	@# --no-compile: Python compiles what it imports when it imports it, a small part of what is installed
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

$(PROFILE):
	@mkdir -p $(@D)
	@echo "c.IPKernelApp.log_level = 40  # a kernel on this machine need not warn that it listens on this machine" > $@

vendor: $(STAMP)
	@$(BIN)/python scripts/vendor.py

# ---------------------------------------------------------------- the site

# A failed build forgets what it has read: Sphinx would not repeat the warnings of pages it need not read again.
build-site: $(STAMP) $(PROFILE) vendor
	@rm -rf _build/html/reports
	@$(QUIET) $(BIN)/jupyter-book build . --quiet -n -W --keep-going || { \
	  rm -rf _build/.doctrees; \
	  find _build/html/reports -name '*.err.log' -exec sh -c 'echo "== {}"; tail -n 25 "{}"' \; 2>/dev/null; \
	  echo "The book was not built: see above."; exit 1; }

# ---------------------------------------------------------------- checks

lint: install ## Style of the code, the notebooks' included
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install ## Types of the package, the scripts and the extensions
	$(BIN)/mypy

layers: install ## Which module may import which
	@# --no-cache: a stale cache has hidden a broken contract before
	$(BIN)/lint-imports --no-cache

unit: install vendor ## Tests of the package and of the notebooks' form
	@# side by side, as the tests of widgets wait for browsers; what measures time runs alone afterwards
	$(BIN)/python -m pytest --numprocesses=auto --maxprocesses=4 --ignore=tests/site -m "not timing"
	$(BIN)/python -m pytest --ignore=tests/site -m timing

notebooks: install $(PROFILE) ## Run every cell of every notebook
	@# side by side, one thread each: quicker than one after the other with all threads
	$(QUIET) OMP_NUM_THREADS=1 PYTHONPATH=book/_ext $(BIN)/python -m pytest -p kept_outputs --nbval-lax --nbval-current-env --nbval-cell-timeout=900 \
	  --numprocesses=auto --maxprocesses=4 --dist=loadfile -p no:cacheprovider notebooks

site: build-site ## Build the site strictly and read it in a real browser
	$(BIN)/python -m pytest --numprocesses=auto --maxprocesses=4 --dist=loadgroup tests/site

bench: install ## Measure speed against the references, side by side
	$(BIN)/python -m bench

clean: ## Remove what was built, not the environment
	rm -rf _build build dist .pytest_cache .mypy_cache .ruff_cache
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
