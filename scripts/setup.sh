#!/usr/bin/env bash
# Installs what building and testing need and what is not there yet: Debian packages with apt-get, and LibTorch into
# .venv where no torch that fits is found. Says what it does; quick when nothing is missing.
#
#   scripts/setup.sh [--bench|--fuzz|--mpi] [TORCH]
#     --bench   also what only the benchmarks compare with
#     --fuzz    also what only the fuzzers are built with
#     --mpi     also MPI
#     TORCH     a torch folder to use instead of looking for one
set -euo pipefail
cd "$(dirname "$0")/.."

TORCH_VERSION=2.13.0
PACKAGES=(
  g++ make cmake ninja-build ccache git pkg-config
  libeigen3-dev libcli11-dev nlohmann-json3-dev libfmt-dev libsentencepiece-dev libpcre2-dev libutf8proc-dev
  librandom123-dev libssl-dev libjpeg-dev libpng-dev
  catch2 libbenchmark-dev clang-format clang-tidy gcovr
  libjs-chart.js gnuplot-nox
  python3 python3-venv python3-jsonschema ca-certificates dpkg-dev
)
BENCH_PACKAGES=(libpagmo-dev)
MPI_PACKAGES=(libopenmpi-dev openmpi-bin)
FUZZ_PACKAGES=(clang libclang-rt-14-dev libomp-14-dev)

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    echo "setup: not root and no sudo; run as root: $*" >&2
    exit 1
  fi
}

is_installed() {
  [ "$(dpkg-query --showformat='${db:Status-Status}' --show "$1" 2>/dev/null)" = installed ]
}

install_packages() {
  if ! command -v dpkg-query >/dev/null; then
    echo "setup: not a Debian system; these packages' equivalents are needed: ${PACKAGES[*]}" >&2
    return
  fi
  local missing=() package
  for package in "${PACKAGES[@]}"; do
    is_installed "$package" || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  echo "setup: installing Debian packages: ${missing[*]}"
  as_root apt-get update -q </dev/null
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}" </dev/null
}

# CMake's own search decides, so that set-up and build cannot disagree.
find_torch() {
  cmake ${1:+"-DREGROUP_TORCH=$1"} -P cmake/FindLibTorch.cmake
}

install_torch() {
  local found
  if found=$(find_torch 2>&1); then
    echo "setup: ${found#-- }"
    return
  fi
  echo "setup: no torch that fits:"
  sed -n 's/^  */  /p' <<<"$found"
  echo "setup: installing torch==$TORCH_VERSION into .venv"
  [ -x .venv/bin/python ] && .venv/bin/python -m pip --version >/dev/null 2>&1 || python3 -m venv --clear .venv
  .venv/bin/python -m pip install --disable-pip-version-check --no-input "torch==$TORCH_VERSION" </dev/null
  find_torch
}

case "${1:-}" in
  --bench) PACKAGES+=("${BENCH_PACKAGES[@]}") && shift ;;
  --mpi) PACKAGES+=("${MPI_PACKAGES[@]}") && shift ;;
  --fuzz) PACKAGES+=("${FUZZ_PACKAGES[@]}") && shift ;;
esac
install_packages
if [ $# -gt 0 ]; then
  find_torch "$1"
else
  install_torch
fi
