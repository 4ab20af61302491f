#!/usr/bin/env python3
"""Checks examples/apply_grouping.py against the logits of the program.

usage: apply_grouping_test.py REPOSITORY PROGRAM [MODEL…]
Groups the demo model's heads with apply_grouping, runs it by the reference below (Llama's formulas, float32) and compares
with `regroup logits --grouping`. Each MODEL, a Hugging Face directory, is run by transformers itself. Skipped where torch
cannot be imported.
"""
import importlib.util
import json
import pathlib
import random
import struct
import subprocess
import sys
import tempfile
import types

try:
    import torch
except ImportError as error:
    print(f"REGROUP_TEST_SKIPPED: {error}")
    sys.exit(0)

TOLERANCE = 1e-4
DTYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "I64": torch.int64}
repository, program = map(pathlib.Path, sys.argv[1:3])
spec = importlib.util.spec_from_file_location("apply_grouping", repository / "examples/apply_grouping.py")
example = importlib.util.module_from_spec(spec)
spec.loader.exec_module(example)


def read_safetensors(path):
    data = path.read_bytes()
    start = 8 + struct.unpack("<Q", data[:8])[0]
    entries = {name: entry for name, entry in json.loads(data[8:start]).items() if name != "__metadata__"}
    return {name: torch.frombuffer(bytearray(data[start + entry["data_offsets"][0]:start + entry["data_offsets"][1]]),
                                   dtype=DTYPES[entry["dtype"]]).reshape(entry["shape"])
            for name, entry in entries.items()}


def write_ids(path, ids):
    numbers = struct.pack(f"<{ids.numel()}q", *ids.flatten().tolist())
    header = json.dumps({"input_ids": {"dtype": "I64", "shape": list(ids.shape), "data_offsets": [0, len(numbers)]}})
    path.write_bytes(struct.pack("<Q", len(header)) + header.encode() + numbers)


class Llama(torch.nn.Module):
    """A module tree with the names that transformers gives, and Llama's formulas written out."""

    def __init__(self, directory):
        super().__init__()
        self.config = types.SimpleNamespace(**json.loads((directory / "config.json").read_text()))
        self.weights = read_safetensors(directory / "model.safetensors")
        self.layers = torch.nn.ModuleList(self.block(i) for i in range(self.config.num_hidden_layers))

    def block(self, layer):
        attention = torch.nn.Module()
        for name in ("q_proj", "k_proj", "v_proj", "o_proj"):
            weight = self.weights[f"model.layers.{layer}.self_attn.{name}.weight"]
            linear = torch.nn.Linear(weight.shape[1], weight.shape[0], bias=False, dtype=weight.dtype)
            linear.weight = torch.nn.Parameter(weight.clone())
            setattr(attention, name, linear)
        block = torch.nn.Module()
        block.self_attn = attention
        return block

    def weight(self, name):
        return self.weights[name].float()

    def norm(self, x, name):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.config.rms_norm_eps) * self.weight(name)

    def rotated(self, x):
        """x: [sequences, heads, tokens, d]; rows c and c + d/2 turn together."""
        half = x.shape[-1] // 2
        frequencies = self.config.rope_theta ** (-torch.arange(half) / half)
        angles = torch.arange(x.shape[-2])[:, None] * frequencies
        low, high = x[..., :half], x[..., half:]
        return torch.cat((low * angles.cos() - high * angles.sin(), high * angles.cos() + low * angles.sin()), -1)

    def attention(self, x, module):
        heads = self.config.num_attention_heads
        q, k, v = ((x @ getattr(module, name).weight.float().T).unflatten(-1, (heads, -1)).transpose(1, 2)
                   for name in ("q_proj", "k_proj", "v_proj"))
        scores = self.rotated(q) @ self.rotated(k).transpose(-1, -2) / q.shape[-1] ** 0.5
        future = torch.ones(x.shape[1], x.shape[1]).triu(1).bool()
        mixed = scores.masked_fill(future, -torch.inf).softmax(-1) @ v
        return mixed.transpose(1, 2).flatten(2) @ module.o_proj.weight.float().T

    @torch.no_grad()
    def forward(self, ids):
        x = self.weight("model.embed_tokens.weight")[ids]
        for i, block in enumerate(self.layers):
            layer = f"model.layers.{i}."
            x = x + self.attention(self.norm(x, layer + "input_layernorm.weight"), block.self_attn)
            y = self.norm(x, layer + "post_attention_layernorm.weight")
            gate, up, down = (self.weight(f"{layer}mlp.{name}_proj.weight").T for name in ("gate", "up", "down"))
            x = x + (torch.nn.functional.silu(y @ gate) * (y @ up)) @ down
        return self.norm(x, "model.norm.weight") @ self.weight("model.embed_tokens.weight").T


def random_groups(heads, rng):
    labels = [rng.randrange(max(1, heads // 2)) for _ in range(heads)]
    return [[h for h in range(heads) if labels[h] == label] for label in sorted(set(labels))]


def random_grouping(config, rng):
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    layers = [{"index": i, "key_groups": random_groups(heads, rng), "value_groups": random_groups(heads, rng)}
              for i in range(config.num_hidden_layers)]
    del layers[0]["value_groups"]
    return {"format": "regroup.grouping", "version": 1, "layers": layers[::-1]}


def program_logits(directory, ids, grouping, scratch):
    write_ids(scratch / "ids.safetensors", ids)
    (scratch / "g.json").write_text(json.dumps(grouping))
    subprocess.run([program, "logits", directory, "--grouping", scratch / "g.json", "--input", scratch / "ids.safetensors",
                    "-o", scratch / "logits.safetensors", "-q"], check=True, stdout=subprocess.DEVNULL)
    return read_safetensors(scratch / "logits.safetensors")["logits"]


def must_agree(directory, load, run, scratch):
    """Largest difference of logits between the example's model and the program's, which must be small."""
    model = load()
    ids = torch.randint(model.config.vocab_size, (2, 24), generator=torch.Generator().manual_seed(5))
    before = run(load(), ids)
    expected = program_logits(directory, ids, random_grouping(model.config, random.Random(3)), scratch)
    example.apply_grouping(model, scratch / "g.json")
    found = run(model, ids)
    difference = (found - expected).abs().max().item()
    effect = (found - before).abs().max().item()
    print(f"{directory}: largest difference {difference:.3g}, of grouping {effect:.3g}")
    assert effect > 1000 * TOLERANCE, "the grouping changed nothing, so that nothing was compared"
    assert difference < TOLERANCE


def must_refuse(change, part, scratch):
    model = Llama(repository / "examples/demo-llama")
    grouping = random_grouping(model.config, random.Random(4))
    change(grouping)
    (scratch / "broken.json").write_text(json.dumps(grouping))
    kept = [parameter.clone() for parameter in model.parameters()]
    try:
        example.apply_grouping(model, scratch / "broken.json")
    except ValueError as error:
        assert part in str(error), f"{error} does not say {part}"
        assert all(torch.equal(a, b) for a, b in zip(kept, model.parameters())), "a refusal changed the model"
        return
    raise AssertionError(f"not refused: {part}")


with tempfile.TemporaryDirectory() as name:
    work = pathlib.Path(name)
    demo = repository / "examples/demo-llama"
    must_agree(demo, lambda: Llama(demo), lambda model, ids: model(ids), work)
    for fields in ({"merge": "optimal"}, {"refit": "output"}, {"renorm": True}):
        must_refuse(lambda grouping, more=fields: grouping.update(more), "regroup convert", work)
    must_refuse(lambda grouping: grouping["layers"][1].update(query_to_group=[0] * 8), "regroup convert", work)
    must_refuse(lambda grouping: grouping.update(version=2), "version 1", work)
    must_refuse(lambda grouping: grouping["layers"].pop(), "4 attention layers", work)
    must_refuse(lambda grouping: grouping["layers"][1].update(key_groups=[[0, 1], [1, 2, 3, 4, 5, 6, 7]]), "layer 2", work)
    must_refuse(lambda grouping: grouping["layers"][1].update(value_groups=[[0, 1, 2]]), "8 KV heads", work)
    for directory in map(pathlib.Path, sys.argv[3:]):
        import transformers

        def load(path=directory):
            return transformers.AutoModelForCausalLM.from_pretrained(path, torch_dtype="auto")

        def run(model, ids):
            with torch.no_grad():
                return model.float()(ids).logits
        must_agree(directory, load, run, work)
