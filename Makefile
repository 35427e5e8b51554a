# `make` prints what there is. Needs Python 3.11 or later and Rust; everything else is
# installed into .venv by the targets themselves. Stamps in .make/ say what is up to date.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TOOLS := .make/tools
EXTENSION := .make/extension
MUTANTS := .make/mutants
BENCH := .make/bench
RUST_SOURCES := $(shell find rust -name '*.rs' -o -name Cargo.toml)

# pip and maturin must work on .venv alone, whatever environment make is called from.
export VIRTUAL_ENV := $(CURDIR)/$(VENV)
export PIP_QUIET ?= 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_USER := 0
export PYO3_PYTHON := $(CURDIR)/$(BIN)/python
unexport CONDA_PREFIX PYTHONHOME PYTHONPATH

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help setup build demo demo-page lint test test-slow test-sklearn equivalence equivalence-nir mutants bench bench-core bench-growth bench-peers \
	budget budget-update docs experiments site fuzz golden sanitize emulate audit ci \
	wheel wheel-test workflows cross \
	lint-format lint-rust lint-types test-rust test-python

help: ## print this help
	@echo "Targets (needed beforehand: Python 3.11 or later, and Rust):"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

setup: $(TOOLS) ## create .venv with the tools (done by the targets that need it)

build: $(EXTENSION) ## compile the extension for .venv (done by the targets that need it)

demo: $(EXTENSION) ## train a network on generated gestures; writes report.html
	$(BIN)/hrsnn demo --report report.html

demo-page: $(EXTENSION) ## write what the demo prints into README.md
	$(BIN)/python benches/runs/demo_page.py

lint: lint-format lint-rust lint-types ## check format, lints, documentation and types

test: test-rust test-python ## run all tests but the slow ones

test-slow: $(EXTENSION) ## run the slow tests
	$(BIN)/python -m pytest -m "slow and not external"

# The newest is in .venv; the package is read from the source tree, whose extension serves both.
test-sklearn: $(EXTENSION) .venv-sklearn-oldest/ready ## run the estimator's tests on the oldest scikit-learn
	PYTHONPATH=python .venv-sklearn-oldest/bin/python -m pytest -m "not slow" \
		tests/learning/test_labels.py tests/learning/test_readout.py tests/learning/test_classifier*.py

# Each simulator has an environment of its own, because they disagree about numpy; the package is
# read from the source tree, whose extension serves every Python. `-v` shows what was measured.
equivalence: $(EXTENSION) .venv-nest/ready .venv-brian2/ready ## compare with NEST and Brian2
	PYTHONPATH=python .venv-nest/bin/python -m pytest -v -m external tests/equivalence/test_nest*.py \
		tests/equivalence/test_coming_from.py
	PYTHONPATH=python .venv-brian2/bin/python -m pytest -v -m external tests/equivalence/test_brian2*.py \
		tests/equivalence/test_coming_from.py

equivalence-nir: $(EXTENSION) .venv-nir/ready ## exchange graphs with snnTorch and Norse (torch: 6 GB)
	PYTHONPATH=python .venv-nir/bin/python -m pytest -v -m external tests/equivalence/test_nir_*.py \
		tests/equivalence/test_coming_from.py

.venv-%/ready: pyproject.toml $(VENV)/pyvenv.cfg
	$(PYTHON) -m venv --clear .venv-$*
	.venv-$*/bin/python -m pip install "pip>=25.1"
	.venv-$*/bin/python -m pip install --group $*
	@touch $@

# Modules whose mutants are tried, each by the tests of all of them; a mutant costs a compilation and
# a run of these tests, hence few drawn cases.
FILES ?= neuron stdp plastic queue
mutants: $(MUTANTS)/bin/cargo-mutants ## break the core on purpose and see whether its tests notice
	CARGO_PROFILE_TEST_OPT_LEVEL=0 CARGO_PROFILE_TEST_DEBUG=0 PROPTEST_CASES=32 $< mutants \
		--package hrsnn-core --output $(MUTANTS) $(FILES:%=--file 'rust/hrsnn-core/src/%.rs') \
		-- --lib -- $(FILES)

$(MUTANTS)/bin/cargo-mutants:
	cargo install cargo-mutants --locked --version '^27' --root $(MUTANTS)

bench: $(EXTENSION) $(BENCH) ## measure whole runs by pytest-benchmark
	$(BIN)/python -m pytest benches/peers/test_runs.py --benchmark-group-by=group \
		--benchmark-columns=min,median,iqr,rounds

bench-core: $(TOOLS) ## measure the core by criterion
	cargo bench -p hrsnn-core

# Some ten minutes and 5 GB; MOST=100000 is a tenth of either.
MOST ?= 1000000
bench-growth: $(EXTENSION) $(BENCH) ## measure how runs and building grow with neurons and fan-in, into docs/performance.md
	$(BIN)/python benches/kernels/scaling.py --most $(MOST) --rounds $(ROUNDS)

# Minutes by size, most of it building networks: see docs/performance.md.
SIZES ?= n500 n2k n10k
ROUNDS ?= 5
CAP ?= 600
SIMULATORS ?= hrsnn_rs numba NEST Brian2 BindsNET Auryn
# Auryn is measured where AURYN names a folder with one that was built: see docs/performance.md.
# BindsNET's environment, 6 GB for torch, is made where it is asked for; the others do without.
bench-peers: $(EXTENSION) $(BENCH) .venv-numba/ready .venv-nest/ready .venv-brian2/ready ## compare speed with other simulators
	$(if $(filter BindsNET,$(SIMULATORS)),-$(MAKE) .venv-torch/ready)
	$(BIN)/python benches/peers/measure_peers.py --sizes $(SIZES) --rounds $(ROUNDS) --cap $(CAP) \
		--simulators $(SIMULATORS)

budget: $(TOOLS) ## count instructions per synaptic event and compare with benches/kernels/budget.json
	$(BIN)/python benches/kernels/budget.py

budget-update: $(TOOLS) ## write benches/kernels/budget.json anew
	$(BIN)/python benches/kernels/budget.py --update

# Recorded clips are not part of the project: DATA names a folder that has some, with options if need be.
# SEEDS=3 is enough to see whether everything works; the page has those that a command takes by itself.
experiments: $(EXTENSION) ## measure and draw what docs/experiments.md says; goes on where it was stopped
	for task in interval memory balance kinds direction order \
		sweep-neurons sweep-connections sweep-training sweep-laws \
		$(if $(DATA),"speed --data $(DATA)" "direction --seeds 10 --data $(DATA)"); do \
		case $$task in direction\ *) name=docs/experiment_direction_recorded;; \
		*) name=docs/experiment_$${task%% *};; esac; \
		$(BIN)/hrsnn experiment $$task $(if $(SEEDS),--seeds $(SEEDS)) --output $$name.parquet --figure $$name.png \
			|| exit 1; \
	done

docs: ## build the Rust reference; the site is another target
	cargo doc -p hrsnn-core --no-deps
	@echo "Rust reference: target/doc/hrsnn_core/index.html"

# Pages of docs/ and of the root go into one folder, beside which the gallery and the reference are
# made; what has not changed is kept from the last time. The package is read from the source tree.
SITE := target/site
site: $(EXTENSION) .venv-docs/ready ## build the site of documentation into target/site/html: guides, gallery, API
	@mkdir -p $(SITE)/source && find $(SITE)/source -maxdepth 1 -type f -delete
	cp -pR docs/. ARCHITECTURE.md CHANGELOG.md CONTRIBUTING.md GLOSSARY.md $(SITE)/source/
	HRSNN_ROOT=$(CURDIR) MPLBACKEND=agg OMP_NUM_THREADS=1 .venv-docs/bin/python -m sphinx -W --keep-going -q -b html \
		-d $(SITE)/doctrees $(SITE)/source $(SITE)/html
	.venv-docs/bin/python docs/links.py $(SITE)/html
	@echo "Site: $(SITE)/html/index.html"

# Coverage feedback needs no nightly compiler: these flags are what cargo-fuzz passes too.
FUZZ_FLAGS := -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
	-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
	-Cllvm-args=-sanitizer-coverage-trace-compares -Cdebug-assertions -Ccodegen-units=1
FUZZ_SECONDS ?= 60
FUZZ_HOST := $(shell rustc -vV 2>/dev/null | sed -n 's/^host: //p')

fuzz: ## fuzz the readers of files and events; needs a C++ compiler
	@for target in model_file state aedat events; do \
		mkdir -p fuzz/corpus/$$target fuzz/artifacts/$$target; \
		RUSTFLAGS="$(FUZZ_FLAGS)" cargo run --release --manifest-path fuzz/Cargo.toml \
			--target $(FUZZ_HOST) --bin $$target -- -max_total_time=$(FUZZ_SECONDS) -timeout=5 \
			-max_len=65536 -artifact_prefix=fuzz/artifacts/$$target/ fuzz/corpus/$$target || exit 1; \
	done

# From one build: a test in the core and one in Python hold every other to it.
golden: ## write the golden hashes anew: a change that moves one is value-breaking
	HRSNN_GOLDEN=write cargo test -p hrsnn-core --test golden bits_are_those_of_the_file

# zig links against the glibc of manylinux_2_28, whatever this machine has. A wheel serves all Pythons
# from 3.11 on (abi3): abi3audit looks whether it keeps to that, auditwheel whether to its tag.
WHEEL := .venv-wheel/bin
LARGEST_WHEEL := 6000000
wheel: .venv-wheel/ready ## build a manylinux wheel and the sdist into dist/, and judge them
	rm -rf dist && mkdir -p dist
	PATH="$(CURDIR)/$(WHEEL):$$PATH" VIRTUAL_ENV=$(CURDIR)/.venv-wheel PYO3_PYTHON=$(CURDIR)/$(WHEEL)/python \
		maturin build --release --locked --zig --compatibility manylinux_2_28 --out dist
	$(WHEEL)/maturin sdist --out dist
	$(WHEEL)/auditwheel show dist/*.whl
	$(WHEEL)/abi3audit --strict --summary dist/*.whl
	$(WHEEL)/twine check --strict dist/*
	@test $$(stat -c %s dist/*.whl) -le $(LARGEST_WHEEL) || { echo "over $(LARGEST_WHEEL) bytes" >&2; exit 1; }

# EXTRAS=video,plot tries these too, each alone in an environment.
wheel-test: ## install dist/*.whl in a bare environment of each Python here, and run README's example
	@ls dist/*.whl >/dev/null 2>&1 || $(MAKE) wheel
	$(PYTHON) tests/packaging/bare.py dist/*.whl --extras "$(EXTRAS)"

workflows: .venv-workflows/ready ## check .github/workflows and CITATION.cff: schemas, zizmor, actionlint if it is here
	.venv-workflows/bin/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	.venv-workflows/bin/check-jsonschema --builtin-schema vendor.citation-file-format CITATION.cff
	.venv-workflows/bin/zizmor --offline --pedantic .github
	@if command -v actionlint >/dev/null; then actionlint; \
		else echo "actionlint is not here (https://github.com/rhysd/actionlint): not tried"; fi

# Checked, not linked: no linker of another system is needed, only rustup's standard libraries.
FOREIGN := x86_64-pc-windows-gnu aarch64-unknown-linux-gnu
cross: ## check the core for Windows and for ARM (needs rustup)
	rustup target add $(FOREIGN)
	cargo check -p hrsnn-core $(FOREIGN:%=--target %)

VALGRIND := ['valgrind', '-q', '--error-exitcode=9']

sanitize: ## try all orders of threads (loom), and look for stray reads (valgrind)
	cargo test --manifest-path loom/Cargo.toml --target-dir target/loom
	PROPTEST_CASES=8 cargo test -p hrsnn-core --lib --config "target.'cfg(unix)'.runner=$(VALGRIND)" \
		-- real:: plastic:: neuron:: --test-threads 1

emulate: ## run the tests of AVX-512 on an emulated machine (its header says what it needs)
	sh tests/emulated/avx512.sh

# Strict: by itself pip-audit passes over what its index knows nothing of, and calls that clean.
audit: $(TOOLS) ## check licences and known weaknesses of what we depend on (needs cargo-deny)
	$(BIN)/python -m pip install pip-audit
	$(BIN)/python -m pip freeze --exclude-editable > .make/frozen.txt
	$(BIN)/python -m pip_audit --strict --no-deps --disable-pip -r .make/frozen.txt
	cargo deny check bans licenses sources
	cargo deny check advisories

ci: lint test test-sklearn budget ## all that must pass before a push

# PLW1514: Windows reads and writes text as UTF-8 only where that is said.
lint-format: $(TOOLS)
	cargo fmt --check
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/ruff check --preview --select PLW1514

lint-rust: $(TOOLS)
	cargo clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

lint-types: $(EXTENSION)
	$(BIN)/mypy
	$(BIN)/python -m mypy.stubtest hrsnn_rs._hrsnn

# The binding crate has no Rust tests: pytest proves it.
test-rust: $(TOOLS)
	@if cargo nextest --version >/dev/null 2>&1; then \
		echo "cargo nextest run -p hrsnn-core" && cargo nextest run -p hrsnn-core; \
	else \
		echo "cargo test -p hrsnn-core --lib --tests" && cargo test -p hrsnn-core --lib --tests; \
	fi
	cargo test -p hrsnn-core --doc

test-python: $(EXTENSION)
	$(BIN)/python -m pytest -n auto --maxprocesses 8 --dist worksteal -m "not slow and not external"

$(VENV)/pyvenv.cfg:
	@command -v $(PYTHON) >/dev/null || { \
		echo "Python 3.11 or later is needed, and '$(PYTHON)' was not found:" \
			"install it, or say where it is with 'make PYTHON=/path/to/python3 ...'." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or later is needed; '$(PYTHON)' is $$($(PYTHON) --version 2>&1)." \
			"Name a newer one with 'make PYTHON=/path/to/python3 ...'." >&2; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)

# pip knows dependency groups (maturin's --group) since 25.1.
$(TOOLS): pyproject.toml $(VENV)/pyvenv.cfg
	@command -v cargo >/dev/null || { \
		echo "Rust is needed, and 'cargo' was not found: see https://rustup.rs." >&2; exit 1; }
	@needed=$$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml); \
	found=$$(cargo --version | cut -d ' ' -f 2); \
	printf '%s\n' "$$needed" "$$found" | sort -C -V || { \
		echo "Rust $$needed or later is needed; cargo is $$found: try 'rustup update'." >&2; exit 1; }
	$(BIN)/python -m pip install "pip>=25.1" "maturin>=1.14,<2"
	$(BIN)/python -m pip install --group dev
	@mkdir -p $(@D) && touch $@

$(BENCH): $(TOOLS)
	$(BIN)/python -m pip install --group bench
	@touch $@

# The package is installed editable: only Rust needs building anew.
$(EXTENSION): $(TOOLS) Cargo.toml Cargo.lock $(RUST_SOURCES)
	$(BIN)/maturin develop --release --extras cli,plot
	@mkdir -p $(@D) && touch $@
