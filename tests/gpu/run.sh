#!/usr/bin/env bash
# Builds regroup with the LibTorch of the torch that python3 imports, runs the tests that compare a GPU with the CPU, and
# prints how many tokens a second a model of 7B's shape takes on the GPU, next to what the GPU's matrix products reach:
# once with all weights there, and once with most of them streaming from host memory.
#
#   tests/gpu/run.sh [OPTION…] [-- CMAKE_OPTION…]
#     --packages DIR  a folder into which the Debian packages of scripts/setup.sh and what they depend on were unpacked
#                     (dpkg -x), for machines where nothing can be installed
#     --work DIR      where the build and the model go (build/gpu); the model takes 14 GB
#     --shape SHAPE   LAYERS HEADS KV_HEADS WIDTH MLP_WIDTH of the model ("32 32 32 4096 11008")
#     --windows N     windows of 2048 tokens that are timed (256)
#     --device NAME   cuda (default), cuda:N, or cpu to try the script itself; then give a small shape
#     --dry-run       say what would be done, and do nothing
set -euo pipefail
cd "$(dirname "$0")/../.."

work=build/gpu
packages=
shape="32 32 32 4096 11008"
windows=256
device=cuda
dry_run=
while [ $# -gt 0 ]; do
  case $1 in
    --packages | --work | --shape | --windows | --device)
      [ $# -ge 2 ] || { echo "run.sh: $1 needs a value" >&2; exit 2; }
      ;;&
    --packages) packages=$(realpath -e "$2"); shift 2 ;;
    --work) work=$2; shift 2 ;;
    --shape) shape=$2; shift 2 ;;
    --windows) windows=$2; shift 2 ;;
    --device) device=$2; shift 2 ;;
    --dry-run) dry_run=yes; shift ;;
    --) shift; break ;;
    *) echo "run.sh: unknown option $1; see the beginning of $0" >&2; exit 2 ;;
  esac
done

step() {
  echo "+ $*" >&2
  [ -n "$dry_run" ] || "$@"
}

# Looks for headers, libraries and CMake files below $packages as well, and for the libraries at run time.
use_packages() {
  local libraries
  libraries=$packages/usr/lib/$(gcc -dumpmachine)
  export CMAKE_PREFIX_PATH=$packages/usr${CMAKE_PREFIX_PATH:+:$CMAKE_PREFIX_PATH}
  export PKG_CONFIG_SYSROOT_DIR=$packages
  export PKG_CONFIG_PATH=$libraries/pkgconfig:$packages/usr/share/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
  export LIBRARY_PATH=$libraries${LIBRARY_PATH:+:$LIBRARY_PATH}
  export LD_LIBRARY_PATH=$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
}

# "VERSION FOLDER THERE" of python3's torch; THERE is no where it does not see the device.
look_at_torch() {
  python3 - "$device" <<'PYTHON'
import os, sys, torch
there = sys.argv[1] == "cpu" or torch.cuda.is_available()
print(torch.__version__, os.path.dirname(torch.__file__), "yes" if there else "no")
PYTHON
}

build() {
  local chart=$packages/usr/share/javascript/chart.js/chart.min.js
  step cmake --preset release -B "$work/release" -DREGROUP_TORCH="$torch" \
    ${packages:+-DREGROUP_CHART_JS="$chart"} "$@"
  step cmake --build "$work/release" -j "$(nproc)" --target regroup test_gpu make_random_checkpoint
}

# Not through ctest: with the device named, a test fails where it would be skipped.
run_tests() {
  step env REGROUP_TEST_DEVICE="$device" OMP_WAIT_POLICY=passive "$work/release/tests/test_gpu" --durations yes
}

measure() {
  local model=$work/model-${shape// /-}
  if [ ! -f "$model/complete" ]; then
    # shellcheck disable=SC2086  # the shape is several arguments
    step "$work/release/tests/bench/make_random_checkpoint" "$model" $shape
    step touch "$model/complete"
  fi
  local throughput=(python3 tests/bench/throughput.py "$work/release/regroup" "$model" --device "$device")
  step "${throughput[@]}" --windows "$windows"
  # As on a small GPU: with 4 GB most layers of a 7B shape stream from host memory.
  [ "$device" = cpu ] || step "${throughput[@]}" --windows "$windows" --device-memory 4GB
}

[ -z "$packages" ] || use_packages
read -r version torch is_there < <(look_at_torch) || { echo "run.sh: python3 cannot import torch" >&2; exit 2; }
echo "torch $version in $torch"
if [ "$is_there" = no ]; then
  echo "run.sh: this torch sees no CUDA device" >&2
  [ -n "$dry_run" ] || exit 2
fi
build "$@"
run_tests
measure
