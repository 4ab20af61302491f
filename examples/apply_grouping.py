"""Applies a grouping JSON of regroup to a model of transformers, in place and without regroup.

    from apply_grouping import apply_grouping
    apply_grouping(AutoModelForCausalLM.from_pretrained("MODEL", torch_dtype="auto"), "GROUPING.json")

or    python apply_grouping.py MODEL GROUPING.json OUT_DIR    (writes model and config; copy the tokenizer's files)

In every group the weights and biases of the heads' keys and values become their mean, which every head then holds: the
form `regroup convert --layout expand` writes, exact in every engine. Takes models whose attention modules have
`k_proj` and `v_proj` (Llama, Mistral, Qwen2, Qwen3, OPT, …; norms of queries and keys stay as they are) or a fused
`c_attn` (GPT-2), in the order of the grouping's layers and not quantised. Load them in the checkpoint's own dtype, as
above: the mean is rounded to it. What is fitted on text, and not just a mean, needs `regroup convert`.
"""
import json

import torch


def projections(attention):
    """Weight and bias of the keys, and those of the values; rows of the heads come first."""
    if hasattr(attention, "c_attn"):  # queries, keys and values side by side, transposed
        parts = [parameter.t().chunk(3) for parameter in attention.c_attn.parameters()]
        return [part[1] for part in parts], [part[2] for part in parts]
    return list(attention.k_proj.parameters()), list(attention.v_proj.parameters())


@torch.no_grad()
def apply_grouping(model, path):
    """Averages the KV heads of `model` as the grouping JSON at `path` says; ValueError if it does not fit."""
    with open(path, encoding="utf-8") as file:
        document = json.load(file)
    if (document.get("format"), document.get("version")) != ("regroup.grouping", 1):
        raise ValueError(f"{path} is no regroup.grouping, version 1")
    if (document.get("merge", "mean"), document.get("refit", "none")) != ("mean", "none") or document.get("renorm") or \
            document.get("reconstruct") or any(layer.get("query_to_group") for layer in document["layers"]):
        raise ValueError(f"{path} asks for more than plain means: use regroup convert --grouping {path}")
    layers = sorted(document["layers"], key=lambda layer: layer["index"])
    attentions = [module for module in model.modules() if hasattr(module, "c_attn") or hasattr(module, "k_proj")]
    if [layer["index"] for layer in layers] != list(range(len(attentions))):
        raise ValueError(f"{path} does not list the model's {len(attentions)} attention layers once each")
    heads = getattr(model.config, "num_key_value_heads", None) or model.config.num_attention_heads
    work = []
    for layer, attention in zip(layers, attentions):
        values = layer.get("value_groups") or layer["key_groups"]
        for groups, parameters in zip((layer["key_groups"], values), projections(attention)):
            if sorted(sum(groups, [])) != list(range(heads)):
                raise ValueError(f"{path}, layer {layer['index']}: not every one of {heads} KV heads is in one group")
            work += [(group, parameter.unflatten(0, (heads, -1))) for group in groups for parameter in parameters]
    for group, rows in work:
        rows[group] = rows[group].double().mean(0, keepdim=True).to(rows.dtype)


if __name__ == "__main__":
    import sys

    import transformers
    loaded = transformers.AutoModelForCausalLM.from_pretrained(sys.argv[1], torch_dtype="auto")
    apply_grouping(loaded, sys.argv[2])
    loaded.save_pretrained(sys.argv[3])
