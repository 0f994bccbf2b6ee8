# Each target sets up what it needs by itself: uv when it is there, else venv and pip. Only Python >= 3.11 is expected.
PYTHON ?= python3
BIN = .venv/bin
SHELF = src spec contracts load reports tests benchmarks

.PHONY: demo test check bench fuzz detection setup clean

demo: setup ## certify the built-in stand-in and say where the report is
	$(BIN)/wireproof certify --out wireproof-out

test: check ## every check and every test
	$(BIN)/pytest -q -n 2

check: setup ## format, lint, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: setup ## measure; nothing here can fail
	$(BIN)/python benchmarks/run.py
	$(BIN)/python -m benchmarks.standin --python $(PYTHON)
	$(BIN)/python benchmarks/abuse.py

detection: setup ## every fault against every clause, for docs/detection.md and traceability.json; FAULTS="files.*" for some
	set -f; $(BIN)/python benchmarks/detection.py $(FAULTS)

fuzz: setup ## Schemathesis on every operation of the stand-in, some minutes; FUZZ="--only '/files*' --examples 50"
	$(BIN)/python benchmarks/fuzz.py $(FUZZ)

setup: .venv/ready

# uv is quicker where it is there and can reach its index; pip does the same.
WITH_UV = uv venv -q --clear --python $(PYTHON) .venv && uv pip install -q --python $(BIN)/python -e . --group dev
WITH_PIP = $(PYTHON) -m venv --clear .venv && $(BIN)/python -m pip install -q --upgrade 'pip>=25.1' && \
  $(BIN)/python -m pip install -q -e . --group dev

.venv/ready: pyproject.toml
	@{ command -v uv >/dev/null 2>&1 && $(WITH_UV); } || { $(WITH_PIP); }
	@touch $@

clean:
	rm -rf .venv dist wireproof-out
