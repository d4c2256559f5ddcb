# CrossStack. `make demo` and `make test` need nothing but Python 3.11.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
NAME ?= crossstack_10x10x2$(if $(PROCESS),_$(notdir $(PROCESS)))
BENCHES := cli drc extract lvs solver

.PHONY: demo test lint format bench bench-exact package docs system setup clean help

help: ## list these targets
	@grep -hE '^[a-z%-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

demo: setup ## build the 10 x 10 x 2 array end to end
	-@$(MAKE) --no-print-directory system
	$(BIN)/crossstack build $(if $(PROCESS),--rows 10 --cols 10 --process $(PROCESS),examples/demo.yaml) --name $(NAME) -o gds_out
	@echo "report: gds_out/$(NAME)/report.html"

# A file's tests run on one worker, so what they share is made once; tests/conftest.py says in
# which order. Modules are compiled before for the processes that tests start.
test: setup $(if $(CI),torch) ## run every test; those of crossstack.torch need `make torch` before
	-@$(MAKE) --no-print-directory system
	@$(BIN)/python -m compileall -q crossstack $(ROOMS)
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

setup: $(STAMP) ## make .venv and install CrossStack with its tests' libraries

# Installed again only when pyproject.toml changed. badcrossbar is a yardstick for the solver;
# its plotting dependency pycairo has no wheel, so it comes without dependencies.
$(STAMP): pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@rm -rf $(VENV)/lib/python3*/site-packages/crossstack  # a copy, or kernels compiled for one
	$(BIN)/python -m pip install -qq --editable '.[test]'
	$(BIN)/python -m pip install -qq --no-deps 'badcrossbar>=1.1,<2'
	@touch $@

# Not part of the set-up: on many machines pip takes a build for graphics cards, of gigabytes.
.PHONY: torch
torch: setup ## install PyTorch, for crossstack.torch and its tests
	@$(BIN)/python -c 'import importlib.util as u, sys; sys.exit(not u.find_spec("torch"))' || \
	  $(BIN)/python -m pip install -qq 'torch==2.13.0'

system: ## install klayout, ngspice, magic, readers of views and a browser where that needs no password
	@sh .ci/system

lint: setup types ## ruff, formatting, types
	@$(BIN)/python -m pip install -qq 'ruff>=0.6,<1' 'mypy>=1.10,<3' types-PyYAML
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	MYPYPATH=build/types $(BIN)/mypy -p crossstack

format: ## let ruff repair what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The rooms are top-level folders that pyproject.toml maps into one package, which is the one list
# of them. A type checker does not read that mapping, so it gets a tree of links that looks like the
# installed package.
ROOMS = $(shell sed -n 's/^"crossstack\.[a-z]*" = "\([a-z]*\)"$$/\1/p' pyproject.toml)
.PHONY: types
types:
	@rm -rf build/types && mkdir -p build/types/crossstack
	@for f in crossstack/*; do ln -s ../../../$$f build/types/crossstack/; done
	@for room in $(ROOMS); do \
	  ln -s ../../../$$room build/types/crossstack/$$room; done

bench: setup ## print start-up times and the times of large arrays
	@bad=0; for f in $(BENCHES); do echo "== $$f"; $(BIN)/python bench/$$f.py || bad=1; done; exit $$bad

bench-%: setup ## run one script of bench/, also long ones: bench-chip, -fuzz, -gradient, -options, -damage, -exact, -means, -nonlinear, -pdk_folders, -size, -strap, -views, -field, -matrix, -periphery, -onboard_sizes, -decoder_model, -scan_model, -processes, -theory, -transient
	$(BIN)/python bench/$*.py $(ARGS)

package: setup ## build wheel and sdist into dist/, install them in empty environments, try them
	$(BIN)/python bench/package.py $(ARGS)

docs: setup ## renew the reference, build the documents as a site, into site/
	@for page in cli reference python; do $(BIN)/python docs/make_$$page.py || exit 1; done
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict
	@echo "documents: site/index.html"

clean: ## remove what can be made again; results in gds_out stay
	rm -rf build dist site .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -not -path './$(VENV)/*' -type d -exec rm -rf {} +
