# The two commands a newcomer needs are `make demo` and `make test`; each sets everything up first.

PYTHON ?= python3.11
BIN := .venv/bin
STAMP := .venv/setup.stamp
SYSTEM_LIBRARIES := libusb-1.0-0 libegl1 libgl1-mesa-dri
PACKAGES := agents cli envs planners robots
RUNS := runs/demo

# Rendering needs no display with EGL; one thread a library keeps results and timings comparable between machines.
export MUJOCO_GL ?= egl
export OMP_NUM_THREADS ?= 1

.DEFAULT_GOAL := help
.PHONY: help setup system demo test quick lint typing bench docs clean

help:  ## show this list
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 10

setup: $(STAMP)  ## make .venv and install the locked packages and valuefield itself

$(STAMP): requirements.lock pyproject.toml | system
	@test -x $(BIN)/python || command -v $(PYTHON) >/dev/null || { \
	  echo "$(PYTHON) is not installed. On Debian: apt-get install python3.11 python3.11-venv; or make PYTHON=/path/to/python3.11"; exit 3; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing what requirements.lock lists into .venv; the first time takes some minutes."
	$(BIN)/python -m pip install -qq --disable-pip-version-check --requirement requirements.lock
	$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

system:
	@command -v dpkg-query >/dev/null || { echo "Not a Debian system: the equivalents of $(SYSTEM_LIBRARIES) must be there."; exit 0; }; \
	missing=""; \
	for library in $(SYSTEM_LIBRARIES); do \
	  dpkg-query --show --showformat='$${db:Status-Status}' $$library 2>/dev/null | grep -qx installed || missing="$$missing $$library"; \
	done; \
	test -z "$$missing" && exit 0; \
	if test "$$(id -u)" -eq 0; then as_root=""; elif sudo -n true 2>/dev/null; then as_root="sudo -n"; else \
	  echo "System libraries are missing. Run: sudo apt-get install -y$$missing ; then make again."; exit 3; fi; \
	echo "Installing$$missing"; \
	$$as_root apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$as_root apt-get install -y -qq --no-install-recommends $$missing

demo: setup  ## two sentences move the arm; ends by naming the videos and the 3-D views
	$(BIN)/valuefield plan "open the top drawer" --env tabletop/open_drawer --out $(RUNS)/open_drawer
	$(BIN)/valuefield plan "put the rubbish in the bin" --env tabletop/put_rubbish_in_bin --out $(RUNS)/put_rubbish_in_bin
	@echo; echo "Watch what happened:"; ls -1 $(RUNS)/*/video.mp4
	@echo "Look at the value maps and the path (open in a browser):"; ls -1 $(RUNS)/*/view.html

test: SYSTEM_LIBRARIES += chromium
test: setup  ## everything but the tests that need a GPU
	$(BIN)/pytest -m "not gpu"

quick: setup  ## the tests to run while working: without the slow ones and those in a browser
	$(BIN)/pytest -m "not gpu and not slow and not browser"

lint: setup  ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# mypy cannot see through the import hook of an editable install; a folder of links shows it the namespace as it is installed.
typing: setup  ## mypy, strict
	@mkdir -p build/typing/valuefield
	@for package in $(PACKAGES); do ln -sfn ../../../$$package build/typing/valuefield/$$package; done
	$(BIN)/mypy

bench: setup  ## measure the planner beside the released rule, the learner beside Stable-Baselines3
	$(BIN)/valuefield bench planner
	$(BIN)/valuefield bench learner

docs: setup  ## draw the tables of docs/ from benchmarks/results/
	$(BIN)/python benchmarks/tables.py

clean:  ## remove what builds leave behind; runs/ and .venv/ stay
	rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
