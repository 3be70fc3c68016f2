# DLCodeGen: `make demo` shows it, `make test` proves it.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
SENTENCE ?= I want to segment polyps in colonoscopy images with a U-Net
.PHONY: help demo test test-slow bench bench-quick bench-models weights tasks check types dev clean

help: ## Show what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/pip install -qq --editable '.[dev]'
	touch $@

demo: $(BIN)/.installed ## Build a project from one sentence in ./demo-project, then run its smoke mode
	$(BIN)/dlcodegen new "$(SENTENCE)" --out demo-project --force
	cd demo-project && ../$(BIN)/python main.py --smoke

test: check ## Everything that CI runs: style, types, tests, a few steps of every benchmark; about a quarter of an hour
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not slow"
	$(BIN)/dlcodegen bench quick

test-slow: $(BIN)/.installed ## Every sample of the pool must run in the sandbox, learn, and read files; about twenty minutes
	$(BIN)/pytest -n 2 -m slow

bench: $(BIN)/.installed ## Measure everything that needs no chat model, and write docs/EVALUATION.md; about two hours
	$(BIN)/dlcodegen bench sandbox
	$(BIN)/dlcodegen bench ladder
	$(BIN)/dlcodegen bench corpus
	$(BIN)/dlcodegen bench plans
	$(BIN)/dlcodegen bench code
	$(BIN)/dlcodegen bench runs
	$(BIN)/dlcodegen bench runs --kept
	$(BIN)/dlcodegen bench runs --others
	$(BIN)/dlcodegen bench report

bench-quick: $(BIN)/.installed ## A few steps of every benchmark, with a report of its own; under ten minutes
	$(BIN)/dlcodegen bench quick

MODEL ?= local
bench-models: $(BIN)/.installed ## What a chat model adds: MODEL=local (the default) or any other; hours on two cores
	$(BIN)/dlcodegen bench models --models $(MODEL) --ablation
	$(BIN)/dlcodegen bench code --model $(MODEL)
	$(BIN)/dlcodegen bench ablation --model $(MODEL)
	$(BIN)/dlcodegen bench temperature --model $(MODEL)
	$(BIN)/dlcodegen bench report

weights: $(BIN)/.installed tasks ## Train the shipped plan predictor from nothing; five minutes on a GPU, half a day on two cores
	mkdir -p build/weights
	$(BIN)/dlcodegen planner data --out build/weights/train.jsonl
	$(BIN)/dlcodegen planner data --dev --rows 1500 --out build/weights/dev.jsonl
	$(BIN)/dlcodegen planner train --train build/weights/train.jsonl --dev build/weights/dev.jsonl \
		--out app/planner/gpt2/shipped --size medium --epochs 3 --renamed 0

tasks: $(BIN)/.installed ## Train the shipped task classifier from nothing; five minutes on one core
	mkdir -p build/tasks
	$(BIN)/dlcodegen planner data --rows 20000 --out build/tasks/train.jsonl
	$(BIN)/dlcodegen planner data --whole --out build/tasks/requests.jsonl
	$(BIN)/dlcodegen planner train-tasks --train build/tasks/train.jsonl --train build/tasks/requests.jsonl --train build/tasks/requests.jsonl \
		--out app/planner/classifier/tasks.safetensors

check: $(BIN)/.installed types ## Style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(BIN)/.installed
	rm -rf build .typed
	$(BIN)/pip install -qq --no-deps --target .typed .
	$(BIN)/mypy

dev: $(BIN)/.installed ## Serve the graph on loopback for LangGraph Studio
	LANGGRAPH_CLI_NO_ANALYTICS=1 $(BIN)/langgraph dev --no-reload --no-browser --n-jobs-per-worker 10

clean: ## Remove what was built
	rm -rf $(VENV) build .typed .mypy_cache .ruff_cache .pytest_cache .langgraph_api demo-project
