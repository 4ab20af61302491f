#!/usr/bin/env bash
# Installs a Debian package and a wheel as a fresh machine would, outside the checkout, and tries them.
#
#   packaging/test_packages.sh DIR      the folder with regroup_*.deb and regroup-*.whl
#
# torch is not fetched again: new environments see the one that the program was built with. The package is installed where
# this is root on Debian and no regroup is installed; elsewhere it is unpacked, and its parts are looked at.
set -euo pipefail
packages=$(cd "$1" && pwd)
checkout=$(cd "$(dirname "$0")/.." && pwd)
torch=$(cd "$checkout" && cmake -P cmake/FindLibTorch.cmake 2>&1 | sed -n 's/.*LibTorch [^ ]*: //p')
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
fail() {
  echo "test_packages: $*" >&2
  exit 1
}

# A search of the demo model by a command, from a folder that is not the checkout.
try() {
  (cd "$scratch" && cp -r "$checkout/examples/demo-llama" model && "$@" search model -o run --kv 0.5 --method neighbour \
    --fitness wse --merge mean --measure 0 -q && "$@" convert model --run run --kv 0.5 -o made -q)
  [ -s "$scratch/made/model.safetensors" ] || fail "$* wrote no model"
  rm -r "$scratch/model" "$scratch/run" "$scratch/made"
}

# The Debian package: installed as Debian does it where that leaves nothing of the machine's behind, else unpacked.
deb=$(ls "$packages"/regroup_*.deb)
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null && ! dpkg -s regroup >/dev/null 2>&1 &&
  [ ! -e /usr/bin/regroup ]; then
  trap 'dpkg -r regroup >/dev/null 2>&1; rm -rf "$scratch"' EXIT
  dpkg -i "$deb" >/dev/null
  try env REGROUP_TORCH="$torch" /usr/bin/regroup
  (cd "$scratch" && PATH="$torch/../../../../bin:$PATH" /usr/bin/regroup --version)
  refusal=$(REGROUP_TORCH=/nowhere /usr/bin/regroup --version 2>&1) && fail "the package's command starts without LibTorch"
  grep -q "expected: release" <<<"$refusal" || fail "no word about LibTorch: $refusal"
  [ -s /usr/share/man/man1/regroup-search.1 ] || [ -s /usr/share/man/man1/regroup-search.1.gz ] ||
    echo "note: this machine leaves out manuals of packages"
  bash -ec 'source /usr/share/bash-completion/completions/regroup; complete -p regroup >/dev/null'
  dpkg -r regroup >/dev/null
  [ ! -e /usr/bin/regroup ] || fail "removing the package leaves its command behind"
else
  dpkg-deb -x "$deb" "$scratch/package"
  [ -x "$scratch/package/usr/lib/regroup/regroup" ] || fail "the package has no program"
fi
echo "package: $(basename "$deb") installed, used and removed"

# The wheel: in a new environment, with every Python that is at hand.
wheel=$(ls "$packages"/regroup-*.whl)
pythons=(python3)
for version in 3.11 3.12 3.13; do
  for found in "$HOME"/.pyenv/versions/"$version".*/bin/python3 /usr/bin/python"$version"; do
    [ -x "$found" ] && pythons+=("$found")
  done
done
for python in "${pythons[@]}"; do
  "$python" -m venv "$scratch/venv"
  # The torch of the build, as if it were installed here; of another Python only its libraries can be used.
  site=$("$scratch/venv/bin/python" -c 'import site; print(site.getsitepackages()[0])')
  mkdir -p "$site/torch"
  ln -s "$torch/lib" "$site/torch/lib"
  "$scratch/venv/bin/python" -m pip install --disable-pip-version-check -q --no-deps --no-index "$wheel"
  try "$scratch/venv/bin/regroup"
  try "$scratch/venv/bin/python" -m regroup
  (cd "$scratch" && env -u REGROUP_PROGRAM -u PYTHONPATH "$scratch/venv/bin/python" \
    "$checkout/python/tests/module_test.py" "$checkout")
  "$scratch/venv/bin/python" -m pip uninstall -q -y regroup
  [ ! -e "$scratch/venv/bin/regroup" ] || fail "uninstalling the wheel leaves its command behind"
  echo "wheel: $(basename "$wheel") installed, used and removed with $("$python" --version)"
  rm -r "$scratch/venv"
done
