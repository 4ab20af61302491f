#!/usr/bin/env bash
# Runs every fuzzer for so many seconds, and says how many inputs it tried. A fault leaves its input in build/fuzz/faults.
#
#   tests/fuzz/targets/run.sh SECONDS [NAME…]     NAME: of NAME_fuzzer; none: all
#
# What was found before is gone on from: build/fuzz/corpus grows. Memory is limited to what a reader may take of inputs of
# at most 64 KiB.
set -euo pipefail
seconds=$1
shift
cd "$(dirname "$0")/../../.."
build=build/fuzz
data=$(sed -n 's/^REGROUP_SHARED_DATA:PATH=//p' $build/CMakeCache.txt)
[ -d $build/corpus ] || python3 tests/fuzz/targets/corpus.py . "$data" $build/corpus
mkdir -p $build/faults $build/found
names=("$@")
[ $# -gt 0 ] || for fuzzer in "$build"/tests/fuzz/targets/*_fuzzer; do
  names+=("$(basename "${fuzzer%_fuzzer}")")
done
failed=
for name in "${names[@]}"; do
  mkdir -p "$build/found/$name"
  log=$build/found/$name.log
  # Encoding and templates loop as long as their input says: 10 seconds for one is a fault.
  if ! ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1 OMP_NUM_THREADS=1 \
    "$build/tests/fuzz/targets/${name}_fuzzer" "$build/found/$name" "$build/corpus/$name" -max_total_time="$seconds" \
    -max_len=65536 -timeout=10 -rss_limit_mb=1024 -malloc_limit_mb=128 -artifact_prefix="$build/faults/$name-" \
    -print_final_stats=1 >"$log" 2>&1; then
    failed=yes
    echo "fuzz: $name FAILED: $(grep -m1 -E 'ERROR|runtime error|SUMMARY' "$log" || tail -1 "$log")"
    continue
  fi
  echo "fuzz: $name: $(sed -n 's/stat::number_of_executed_units: *//p' "$log") inputs, no fault"
done
rm -rf /dev/shm/regroup-fuzz-*
[ -z "$failed" ]
