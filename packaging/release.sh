#!/usr/bin/env bash
# Makes everything that a release has, twice where it must come out the same, and checks it.
#
#   packaging/release.sh      writes the source archive, the package, the wheel, the SBOM and SHA256SUMS to
#                             build/release-VERSION
set -euo pipefail
cd "$(dirname "$0")/.."
version=$(sed -n 's/^project(regroup VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
out=build/release-$version
fail() {
  echo "release: $*" >&2
  exit 1
}

[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] || fail "$version is no semantic version"
grep -q "^## \(\[\?$version\|Unreleased\)" CHANGELOG.md || fail "CHANGELOG.md says nothing of $version"
git diff --quiet HEAD || fail "there are changes that are not committed"

make_packages() {
  rm -rf build/packages
  make --no-print-directory deb wheel >/dev/null
}
make_packages
mkdir -p build/packages-before
mv build/packages/*.deb build/packages/*.whl build/packages-before/
make_packages
for file in build/packages-before/*; do
  cmp "$file" "build/packages/$(basename "$file")" || fail "$(basename "$file") comes out otherwise the second time"
done
rm -r build/packages-before
packaging/test_packages.sh build/packages

mkdir -p "$out"
cp build/packages/*.deb build/packages/*.whl "$out/"
git archive --prefix="regroup-$version/" HEAD | gzip -n >"$out/regroup-$version.tar.gz"
packaging/sbom.py build/release/regroup "$version" -o "$out/regroup-$version.cdx.json"
build/release/regroup --version | grep -q "^regroup $version (LibTorch .*)" || fail "the program says another version"
(cd "$out" && sha256sum ./*.deb ./*.whl ./*.tar.gz ./*.cdx.json >SHA256SUMS)
cat "$out/SHA256SUMS"
