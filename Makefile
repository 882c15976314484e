# Needs some Python 3.10, pip and make; everything else goes under .venv.
BIN := .venv/bin
READY := .venv/.ready

.PHONY: help setup demo test lint bench lock clean

help:
	@echo "make setup   prepare .venv and nothing else"
	@echo "make demo    tune a real training run of the bundled racer, about five minutes"
	@echo "make test    run all tests"
	@echo "make lint    style, types and walls"
	@echo "make bench NAME=...   a benchmark of tests/benchmarks"

setup: $(READY)

$(READY): requirements.lock pyproject.toml tools/setup.sh
	@sh tools/setup.sh

demo: $(READY)
	@$(BIN)/sweeper run studies/demo.yaml

# Workers, runs and tools that tests start read what was compiled once, also where the shell forbids to write that.
test: export PYTHONDONTWRITEBYTECODE =
test: $(READY)
	@$(BIN)/python -m pytest --numprocesses 4 --dist worksteal -m "not alone and not real_learner"
	@$(BIN)/python -m pytest --numprocesses 2 --dist worksteal -m "real_learner and not alone"
	@$(BIN)/python -m pytest -m alone

lint: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: $(READY)
	@test -f "tests/benchmarks/$(NAME).py" || { echo "there is no benchmark '$(NAME)' in tests/benchmarks"; exit 2; }
	@$(BIN)/python "tests/benchmarks/$(NAME).py"

# Versions and hashes only, no addresses; uv.lock would record those.
lock: $(READY)
	@.venv/.uv/bin/uv pip compile --quiet --universal --python .venv --generate-hashes --no-emit-index-url \
		--no-emit-find-links --no-annotate --custom-compile-command "make lock" --group dev pyproject.toml -o requirements.lock

clean:
	rm -rf .venv
