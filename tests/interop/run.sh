#!/usr/bin/env bash
# Has other engines run what regroup writes: Hugging Face transformers every layout, llama.cpp every GGUF. Their packages
# go into a virtual environment of their own, with the torch that the build uses.
#
#   tests/interop/run.sh PROGRAM [--if-at-hand]
#     --if-at-hand  leave out, and say so, what would need the package index while it does not answer, or llama.cpp to be
#                   compiled (7 minutes on 2 processors); its wheel is kept in REGROUP_WHEELS (~/.cache/regroup/wheels).
#                   Fewer models and tokens, too: two minutes
set -euo pipefail
program=$(realpath -e "$1")
at_hand=${2:-}
cd "$(dirname "$0")/../.."

LLAMA_CPP="llama-cpp-python==0.3.36"
WHEELS=${REGROUP_WHEELS:-$HOME/.cache/regroup/wheels}
DATA=../shared/data
. tests/interop/environment.sh

say() { echo "interop: $*"; }

provide_llama_cpp() {
  "$python" -c 'import llama_cpp' 2>/dev/null && return
  if ! compgen -G "$WHEELS/llama_cpp_python-*.whl" >/dev/null; then
    [ -z "$at_hand" ] || { say "llama.cpp SKIPPED: no wheel in $WHEELS (make test-interop builds it)"; return 1; }
    mkdir -p "$WHEELS"
    "$python" -m pip wheel --disable-pip-version-check --quiet --no-deps "$LLAMA_CPP" -w "$WHEELS" </dev/null
  fi
  install --find-links "$WHEELS" "$LLAMA_CPP"
}

models=(examples/demo-llama)
on_llama_cpp=(examples/demo-llama docs/METHODS.md)
if [ -d "$DATA" ]; then
  models+=("$DATA"/checkpoints/{books-llama,stories260k} "$DATA"/goldens/{llama-bias,llama-rope3,mistral,qwen2,qwen3})
  on_llama_cpp=("$DATA/checkpoints/books-llama" "$DATA/text/books-val.txt" --goldens "$DATA/goldens")
  [ -z "$at_hand" ] || models=(examples/demo-llama "$DATA/checkpoints/books-llama" "$DATA/goldens/qwen3")
else
  say "no shared data beside the checkout: examples/demo-llama alone"
fi

[ -z "$at_hand" ] || on_llama_cpp+=(--tokens 2048)

make_environment
failed=
if provide transformers "$TRANSFORMERS" safetensors numpy && provide sentencepiece sentencepiece protobuf; then
  "$python" tests/interop/families_test.py "$program" || failed=yes
  [ ! -d "$DATA" ] || "$python" tests/interop/goldens_test.py "$program" "$DATA/goldens" || failed=yes
  OMP_WAIT_POLICY=passive "$python" tests/interop/transformers_test.py "$program" "${models[@]}" || failed=yes
  [ ! -d "$DATA" ] || "$python" tests/interop/tokenizers_test.py "$program" \
    "$DATA"/goldens/tokenizers/{bert,gpt-neox,gpt2,llama3,qwen2} \
    "$DATA"/troubles/{llama-tokenizer-json-only,sentencepiece-with-added-tokens} || failed=yes
else
  say "transformers SKIPPED: the package index does not answer"
  [ -n "$at_hand" ] || failed=yes
fi
if provide_llama_cpp; then
  OMP_WAIT_POLICY=passive "$python" tests/interop/llama_cpp_test.py "$program" "${on_llama_cpp[@]}" || failed=yes
elif [ -z "$at_hand" ]; then
  failed=yes
fi
[ -z "$failed" ] || { say "FAILED"; exit 1; }
