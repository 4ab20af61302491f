#!/usr/bin/env python3
"""Hugging Face transformers runs what `regroup convert` writes.

    transformers_test.py PROGRAM MODEL [MODEL]... [--wide TEXT]

For every model and every layout that holds one of the groupings of regroup_program.py, layout standard without code of
its own: transformers loads the converted directory, its
logits equal `regroup logits MODEL --grouping` within 1e-4, its greedy text equals `regroup generate`, and its cache holds
just the bytes of the grouping's key/value heads. AutoConfig and AutoTokenizer open it without its code, as they open the
source. Prints a line for each; exit status 1 if one fails.
"""

import argparse
import json
import os
import pathlib
import sys
import tempfile

from regroup_program import calibrated, groupings_of, run, wide_groupings_of, write_grouping, write_wide_grouping
from transformers_models import difference, opened, program_logits, quiet_transformers, said

PROMPT = "The house stood at the end of the road, and"
NEW_TOKENS = 24
TOLERANCE = 1e-4
# Where heads are filled up to another width than a power of two times theirs, queries get a factor that bfloat16 rounds
# once more.
PADDED_TOLERANCE = 2e-2
TAKES_WIDE_HEADS = ("LlamaForCausalLM", "MistralForCausalLM")


def some_ids(model, length=48):
    import torch

    size = model.config.vocab_size
    return (torch.arange(2 * length).reshape(2, length) * 37 + 11) % size


def cache_bytes_per_token(model, ids):
    cache = model(ids[:1], use_cache=True).past_key_values
    # By the positions that are held: a sliding window lets go of the others.
    return sum((layer.keys.numel() + layer.values.numel()) * layer.keys.element_size() // layer.keys.shape[2]
               for layer in cache.layers)


def greedy_ids(model, prompt_ids):
    import torch

    ids = model.generate(torch.tensor([prompt_ids]), attention_mask=torch.ones(1, len(prompt_ids), dtype=torch.long),
                         max_new_tokens=NEW_TOKENS, do_sample=False, eos_token_id=-1, pad_token_id=0)
    return ids[0, len(prompt_ids):].tolist()


def opening_problems(source, converted):
    """What plain AutoConfig and AutoTokenizer make of a converted directory other than of its source."""
    import transformers

    problems = []
    kinds = [transformers.AutoConfig.from_pretrained(directory).model_type for directory in (source, converted)]
    if kinds[0] != kinds[1]:
        problems.append(f"AutoConfig opens a {kinds[1]}, not a {kinds[0]}")
    if has_tokenizer(source):
        ids = [transformers.AutoTokenizer.from_pretrained(directory)(PROMPT)["input_ids"]
               for directory in (source, converted)]
        if ids[0] != ids[1]:
            problems.append("AutoTokenizer gives other ids")
    return problems


def has_tokenizer(source):
    return any((pathlib.Path(source) / file).exists() for file in ("tokenizer.model", "tokenizer.json"))


def check(program, source, name, layout, grouping, scratch):
    """Messages on what is wrong; empty if nothing is."""
    converted = scratch / f"{pathlib.Path(source).name}-{name}-{layout}"
    summary = json.loads(run(program, "convert", source, "--grouping", grouping, "--layout", layout, "--json",
                             "-o", converted))
    model = opened(converted, runs_code=layout != "standard")
    problems = opening_problems(source, converted)
    ids = some_ids(model)
    inputs = {"input_ids": ids}
    differs = difference(said(model, inputs), program_logits(program, source, inputs, scratch, "--grouping", grouping))
    if not differs < (PADDED_TOLERANCE if name == "wide-padded" else TOLERANCE):
        problems.append(f"logits differ by {differs:.2e}")

    element = {"float32": 4, "bfloat16": 2, "float16": 2}[json.loads(run(program, "inspect", source, "--json"))["dtype"]]
    expected = summary["kv_bytes_per_token"] * 4 / element
    found = cache_bytes_per_token(model, ids)
    if found != expected:
        problems.append(f"cache of {found} bytes a token, not {expected}")

    text = "no tokenizer"
    if has_tokenizer(source):
        generated = json.loads(run(program, "generate", source, "--grouping", grouping, "--prompt", PROMPT,
                                   "--max-tokens", NEW_TOKENS, "--ignore-eos", "--json"))
        same = generated["ids"] == greedy_ids(model, generated["prompt_ids"])
        text = "same text" if same else "other text"
        if not same:
            problems.append("other text")
    for problem in problems:
        print(f"       {problem}")
    print(f"{'FAILED' if problems else 'ok':7}{pathlib.Path(source).name:14}{name:17}{layout:10} "
          f"{type(model).__name__:22} logits {differs:.1e}  cache {found:.0f} bytes/token (float32)  {text}", flush=True)
    return problems


def check_wide(program, source, shape, text, scratch):
    """How many groupings of wide groups go wrong."""
    calibration = calibrated(program, source, text, scratch / f"{pathlib.Path(source).name}.calibration.safetensors")
    failures = 0
    for name, layout, layers in wide_groupings_of(shape["layers"], shape["kv_heads"], shape["head_dim"]):
        grouping = write_wide_grouping(scratch / "wide.json", layers, shape["head_dim"], calibration)
        failures += bool(check(program, source, f"wide-{name}", layout, grouping, scratch))
    return failures


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("models", nargs="+")
    parser.add_argument("--wide", metavar="TEXT", help="calibrate groups that are wider than a head on this text")
    options = parser.parse_args()
    failures = 0
    quiet_transformers()
    with tempfile.TemporaryDirectory() as directory:
        scratch = pathlib.Path(directory)
        os.environ["HF_MODULES_CACHE"] = str(scratch / "modules")
        for source in options.models:
            shape = json.loads(run(options.program, "inspect", source, "--json"))
            for name, layout, layers in groupings_of(shape["layers"], shape["kv_heads"]):
                grouping = write_grouping(scratch / "grouping.json", layers)
                failures += bool(check(options.program, source, name, layout, grouping, scratch))
            if options.wide and shape["architecture"] in TAKES_WIDE_HEADS and has_tokenizer(source):
                failures += check_wide(options.program, source, shape, options.wide, scratch)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
