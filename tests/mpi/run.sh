#!/usr/bin/env bash
# Searches under mpirun: one to four ranks write the same bytes, a job whose rank is killed ends, and is resumed by another
# number of ranks to the same bytes.
#
#   tests/mpi/run.sh PROGRAM      of a build with REGROUP_MPI
set -euo pipefail
program=$(realpath -e "$1")
cd "$(dirname "$0")/../.."
model=$PWD/examples/demo-llama
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
fail() {
  echo "mpi: $*" >&2
  exit 1
}
ldd "$program" | grep -q libmpi || fail "$program is of a build without MPI"
head -c 24000 docs/METHODS.md | iconv -c -t ascii >"$scratch/calibration.txt"
tail -c 12000 docs/METHODS.md | iconv -c -t ascii >"$scratch/report.txt"
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1

# ranks RANKS RUN OPTION…
ranks() {
  local count=$1 run=$2
  shift 2
  mpirun --oversubscribe -n "$count" "$program" search "$model" --calibration "$scratch/calibration.txt" \
    --eval "$scratch/report.txt" --kv 0.5,0.25 -j 1 -o "$scratch/$run" "$@"
}
same() {
  for part in front.json front.csv history.csv report.html groupings weights; do
    diff -r "$scratch/one/$part" "$scratch/$1/$part" >/dev/null || fail "$part differs: $2"
  done
}

"$program" search "$model" --calibration "$scratch/calibration.txt" --eval "$scratch/report.txt" --kv 0.5,0.25 -j 2 \
  -o "$scratch/one" -q >/dev/null
for count in 2 4; do
  ranks "$count" "of-$count" -q >/dev/null
  same "of-$count" "$count ranks"
done

# A helper is killed as soon as something was measured.
ranks 3 killed >/dev/null 2>"$scratch/said" &
job=$!
until [ "$(ls "$scratch/killed/state/measured" 2>/dev/null | wc -l)" -ge 2 ]; do
  kill -0 $job 2>/dev/null || fail "the job ended before a rank could be killed: $(cat "$scratch/said")"
  sleep 0.01
done
pkill -KILL -n -f -- "-o $scratch/killed" || fail "no rank to kill"
wait $job && fail "a job whose rank was killed ends as if nothing had happened"
[ ! -e "$scratch/killed/run.json" ] || fail "a job whose rank was killed is said to have finished"
ranks 2 killed --resume -q >/dev/null
same killed "after a rank was killed and the run resumed"

# A refusal is said once.
ranks 3 refused --width 9 >/dev/null 2>"$scratch/said" && fail "a refusal passes"
[ "$(grep -c '^regroup:' "$scratch/said")" = 1 ] || fail "a refusal is not said once: $(cat "$scratch/said")"
echo "mpi: 1, 2 and 4 ranks wrote the same bytes; a killed rank's run was resumed to them"
