# The workflow in one place; the build itself is CMake's (CMakePresets.json).

JOBS ?= $(shell nproc)
PREFIX ?= /usr/local
# A torch folder of your own (include/, lib/); kept in the build folder until another is given.
TORCH ?=
DEMO_MODEL ?= examples/demo-llama
# Options of `regroup search` for the demo: half the points of a default run.
DEMO_OPTIONS ?= --measure 12
# Regular expression of the tests to run; empty: all.
TESTS ?=
# Options of Google Benchmark, such as --benchmark_filter=sort_points.
BENCH_OPTIONS ?=

CONFIGURE = cmake --preset release $(if $(TORCH),-DREGROUP_TORCH="$(abspath $(TORCH))")
SOURCES = $(shell find search models fitness runs apps tests cmake -name '*.cpp' -o -name '*.hpp')

.PHONY: help setup build demo test test-interop bench format check-format install clean
help:
	@echo "make setup         install what is missing: Debian packages, LibTorch (into .venv)"
	@echo "make build         set up and build build/release/regroup"
	@echo "make demo          build, search the demo model, write a report to build/demo"
	@echo "make test          set up, build everything, run the tests"
	@echo "make test-interop  other engines (transformers, llama.cpp) run what convert writes"
	@echo "make bench         build and run the benchmarks, print a table of what they measured"
	@echo "make format        format the sources; make check-format only checks"
	@echo "make install       install to PREFIX (/usr/local), below DESTDIR if given"
	@echo "make clean         remove build/"
	@echo "Variables: TORCH=DIR (a torch folder), JOBS=N (processors), TESTS=REGEX, DEMO_OPTIONS=…"

setup:
	@scripts/setup.sh $(if $(TORCH),"$(abspath $(TORCH))")

build: setup
	$(CONFIGURE)
	cmake --build --preset release -j $(JOBS) --target regroup

demo: build
	build/release/regroup search $(DEMO_MODEL) -o build/demo --force $(DEMO_OPTIONS)
	@echo "The report: build/demo/report.html"

test: setup
	$(CONFIGURE)
	cmake --build --preset release -j $(JOBS)
	@grep -q '^REGROUP_SHARED_DATA:PATH=' build/release/CMakeCache.txt && \
	  data=$$(sed -n 's/^REGROUP_SHARED_DATA:PATH=//p' build/release/CMakeCache.txt) && \
	  { [ -d "$$data" ] || echo "Note: no shared data at $$data; the tests that need it are skipped."; }
	ctest --preset release -j $(JOBS) $(if $(TESTS),-R "$(TESTS)")

# Packages from the index, and llama.cpp compiled once (7 minutes); INTEROP=--if-at-hand leaves out what is not there.
test-interop: build
	tests/interop/run.sh build/release/regroup $(INTEROP)

bench:
	@scripts/setup.sh --bench $(if $(TORCH),"$(abspath $(TORCH))")
	$(CONFIGURE) -DREGROUP_BENCH=ON
	cmake --build --preset release -j $(JOBS) --target bench_regroup
	@python3 tests/bench/table.py build/release/tests/bench/bench_regroup $(BENCH_OPTIONS)

format:
	@clang-format -i $(SOURCES)

check-format:
	@clang-format --dry-run --Werror $(SOURCES) && echo "All sources are formatted."

# Installs what is built: `sudo make install` must not set anything up or compile as root.
install:
	@[ -x build/release/regroup ] || { echo "build/release/regroup is not there: run make build first" >&2; exit 2; }
	DESTDIR="$(DESTDIR)" cmake --install build/release --prefix "$(PREFIX)"

clean:
	rm -rf build
