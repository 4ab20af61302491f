#!/usr/bin/env bash
# Looks at reports in a real Chromium, Debian's; playwright-core and axe-core come from npm, into build/browser.
#
#   tests/browser/run.sh PROGRAM [--if-at-hand]
#     --if-at-hand  leave out, and say so, what cannot be had
set -euo pipefail
program=$(realpath -e "$1")
at_hand=${2:-}
cd "$(dirname "$0")/../.."

PACKAGES=(playwright-core@1.64.1 axe-core@4.14.1)
folder=$PWD/build/browser

without() {
  echo "browser: SKIPPED: $1"
  [ -n "$at_hand" ] && exit 0 || exit 1
}

if ! command -v chromium >/dev/null; then
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || without "no chromium, and no right to install it"
  apt-get update -q </dev/null >/dev/null 2>&1 || true
  DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends chromium </dev/null >/dev/null 2>&1 ||
    without "chromium cannot be installed"
fi
command -v npm >/dev/null || without "no npm"
[ -d "$folder/node_modules/axe-core" ] || npm install --prefix "$folder" --no-package-lock --no-audit --no-fund \
  --fetch-retries=1 --fetch-timeout=20000 --silent "${PACKAGES[@]}" </dev/null || without "npm's index does not answer"

# One run with measured points and caches, one of prices alone, both together.
rm -rf "$folder/runs" && mkdir -p "$folder/runs"
"$program" search examples/demo-llama --kv 0.5,0.25 --measure 2 -o "$folder/runs/measured" -q >/dev/null
"$program" search examples/demo-llama --method neighbour --fitness wse --merge mean --measure 0 -o "$folder/runs/prices" \
  -q >/dev/null
"$program" report "$folder/runs/measured" "$folder/runs/prices" -o "$folder/runs/both.html" -q >/dev/null
cp tests/browser/report_test.mjs "$folder/"
node "$folder/report_test.mjs" "$(command -v chromium)" "$folder/node_modules/axe-core/axe.min.js" \
  "$folder"/runs/{measured,prices}/report.html "$folder/runs/both.html"
