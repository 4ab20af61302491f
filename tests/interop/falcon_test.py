#!/usr/bin/env python3
"""Tiny Falcons of every kind in transformers: KV heads for every query head, one of them (7B), one for a group (40B).

    falcon_test.py PROGRAM

The source has transformers' logits. So have merged heads, by `regroup logits --grouping` and in the converted
directory; the reference is the source with its fused projections averaged in place here. Attention is transformers'
usual one, for its plain one adds ALiBi twice. Prints a line for each comparison; exit status 1 if one differs by 1e-4.
"""

import pathlib
import sys
import tempfile

from regroup_program import groupings_of, neighbours, refusal, run, shared, write_grouping
from tiny_models import COMMON, HEADS, WIDTH, rewrite, saved, some_ids
from transformers_models import difference, opened, program_logits, quiet_transformers, said

TOLERANCE = 1e-4
LAYERS = COMMON["num_hidden_layers"]
OWN_CODE = ("per-layer", "pad")  # layouts that come with model code
BY_HEAD, SEVEN, FORTY = {"multi_query": False}, {}, {"new_decoder_architecture": True, "num_kv_heads": 4}
# {name: (settings, KV heads)}
KINDS = {"heads": (BY_HEAD, HEADS),
         "heads, one after another": (BY_HEAD | {"parallel_attn": False, "bias": True}, HEADS),
         "heads, ALiBi": (BY_HEAD | {"parallel_attn": False, "bias": True, "alibi": True}, HEADS),
         "7B": (SEVEN, 1), "7B, ALiBi": (SEVEN | {"alibi": True}, 1),
         "7B, one after another": (SEVEN | {"parallel_attn": False}, 1),
         "40B": (FORTY, 4), "40B, ALiBi": (FORTY | {"alibi": True}, 4),
         "40B, one norm (11B)": (FORTY | {"num_ln_in_parallel_attn": 1, "bias": True}, 4)}


def say(what, found, wanted):
    """Whether both are the same."""
    differs = difference(found, wanted)
    is_right = differs < TOLERANCE
    print(f"{'ok' if is_right else 'FAILED':7}{what:40}differ by {differs:.1e}", flush=True)
    return is_right


def average(fused, layers, kv_heads):
    """Averages the rows of keys and values of groups in place; they stand by KV head: queries, key, value."""
    for (keys, values), block in zip(layers, fused):
        for tensor in block.parameters():
            heads = tensor.view(kv_heads, HEADS // kv_heads + 2, WIDTH // HEADS, *tensor.shape[1:])
            for groups, rows in ((keys, heads[:, -2]), (values, heads[:, -1])):
                for group in groups:
                    rows[group] = rows[group].mean(0, keepdim=True)


def check_groups(program, folder, name, kv_heads, inputs, scratch):
    """How many comparisons of merged heads fail."""
    failures = 0
    for layout, layers in groupings_by_layout(name, kv_heads).items():
        grouping = write_grouping(scratch / "grouping.json", layers)
        model = opened(folder)
        average([block.self_attention.query_key_value for block in model.transformer.h], layers, kv_heads)
        wanted = said(model, inputs)
        found = program_logits(program, folder, inputs, scratch, "--grouping", grouping)
        failures += not say(f"{name}: grouped", found, wanted)
        target = scratch / f"{folder.name}-{layout}"
        run(program, "convert", folder, "--grouping", grouping, "--layout", layout, "-o", target, "-q")
        failures += not say(f"{name}: {layout}", said(opened(target, runs_code=layout in OWN_CODE), inputs), wanted)
    return failures


def groupings_by_layout(name, kv_heads):
    """{layout: groups of every layer} that the kind can be converted to."""
    groupings = {layout: layers for _, layout, layers in groupings_of(LAYERS, kv_heads)}
    if not name.startswith("40B"):
        return {"expand": groupings["expand"]}
    if "ALiBi" in name:  # a head's slope comes from its place
        return {"expand": groupings["expand"], "standard": shared([neighbours(kv_heads, 2)] * LAYERS)}
    return groupings


def check_refusals(program, scratch):
    """What the kind that stores as many KV heads as query heads cannot be, and be said to have, and ALiBi."""
    folder = saved(scratch / "refused", "FalconForCausalLM", **COMMON | BY_HEAD)
    for _, layout, layers in groupings_of(LAYERS, HEADS)[:3]:
        grouping = write_grouping(scratch / "grouping.json", layers)
        message = refusal(program, "convert", folder, "--grouping", grouping, "--layout", layout, "-o", scratch / "no")
        assert f"layout {layout} cannot hold" in message, message
        assert "FalconForCausalLM, which has as many KV heads as query heads" in message, message
    alibi = saved(scratch / "alibi", "FalconForCausalLM", **COMMON | FORTY | {"alibi": True})
    crossed = write_grouping(scratch / "grouping.json", shared([[[0, 2], [1, 3]]] * LAYERS))
    for layout in ("standard", "per-layer", "pad"):
        message = refusal(program, "convert", alibi, "--grouping", crossed, "--layout", layout, "-o", scratch / "no")
        assert "FalconForCausalLM, whose query heads have slopes by their places" in message, message
    for name, value in {"num_kv_heads": 4, "num_ln_in_parallel_attn": 3, "activation": "tanh"}.items():
        config = (folder / "config.json").read_text()
        message = refusal(program, "inspect", rewrite(folder, **{name: value}))
        (folder / "config.json").write_text(config)
        assert f'field "{name}"' in message and f"found: {value}" in message, message
    print("ok     layouts and settings that are refused, by name")


def main():
    program = sys.argv[1]
    quiet_transformers()
    failures = 0
    with tempfile.TemporaryDirectory() as directory:
        scratch = pathlib.Path(directory)
        inputs = {"input_ids": some_ids()}
        for index, (name, (settings, kv_heads)) in enumerate(KINDS.items()):
            folder = saved(scratch / f"falcon-{index}", "FalconForCausalLM", **COMMON | settings)
            failures += not say(name, program_logits(program, folder, inputs, scratch), said(opened(folder), inputs))
            if kv_heads > 1:
                failures += check_groups(program, folder, name, kv_heads, inputs, scratch)
        check_refusals(program, scratch)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
