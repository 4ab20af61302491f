"""What Hugging Face's tokenizers decodes from the ids of the golden tokenizers' cases, special tokens left out.
usage: python3 make.py GOLDENS/tokenizers > decoded.json

For every tokenizer.json a list with one string for each of the first 30 cases, which are written by hand; made with
tokenizers 0.23.3."""
import json
import sys

import tokenizers

CASES = 30
decoded = {}
for kind in ("bert", "gpt-neox", "gpt2", "llama3", "qwen2"):
    folder = f"{sys.argv[1]}/{kind}"
    tokenizer = tokenizers.Tokenizer.from_file(folder + "/tokenizer.json")
    cases = json.load(open(folder + "/cases.json"))[:CASES]
    decoded[kind] = [tokenizer.decode(case["ids"], skip_special_tokens=True) for case in cases]
json.dump(decoded, sys.stdout, ensure_ascii=True, indent=1)
print()
