#!/usr/bin/env python3
"""Trains a Llama of 2 layers × 4 heads on the bytes of a text, small enough to measure all its groupings.

    train_tiny_llama.py TEXT OUT [--steps 1500]

Writes OUT/model (a Hugging Face directory without a tokenizer) and, as token ids (uint16, one a byte), the parts of the
text that the training left out: OUT/calibration.bin and OUT/eval.bin. Needs a Python with torch.
"""

import argparse
import json
import math
import pathlib
import struct

import torch
from torch import nn
from torch.nn import functional

WIDTH, HEADS, LAYERS, MLP, CONTEXT, VOCABULARY = 128, 4, 2, 344, 128, 256
HEAD_DIM = WIDTH // HEADS


def rotary(x):
    """Half-split rotation of [batch, heads, length, head_dim], base 10000."""
    length = x.shape[2]
    frequencies = 10000.0 ** (-torch.arange(0, HEAD_DIM, 2) / HEAD_DIM)
    angles = torch.outer(torch.arange(length), frequencies)
    cos, sin = (torch.cat([f(angles)] * 2, dim=1) for f in (torch.cos, torch.sin))
    a, b = x.chunk(2, dim=3)
    return x * cos + torch.cat([-b, a], dim=3) * sin


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.input_layernorm = nn.RMSNorm(WIDTH, eps=1e-5)
        self.post_attention_layernorm = nn.RMSNorm(WIDTH, eps=1e-5)
        self.self_attn = nn.ModuleDict({f"{n}_proj": nn.Linear(WIDTH, WIDTH, bias=False) for n in "qkvo"})
        self.mlp = nn.ModuleDict({"gate_proj": nn.Linear(WIDTH, MLP, bias=False),
                                  "up_proj": nn.Linear(WIDTH, MLP, bias=False),
                                  "down_proj": nn.Linear(MLP, WIDTH, bias=False)})

    def forward(self, x):
        h = self.input_layernorm(x)
        q, k, v = (self.self_attn[f"{n}_proj"](h).unflatten(2, (HEADS, HEAD_DIM)).transpose(1, 2) for n in "qkv")
        mixed = functional.scaled_dot_product_attention(rotary(q), rotary(k), v, is_causal=True)
        x = x + self.self_attn["o_proj"](mixed.transpose(1, 2).flatten(2))
        h = self.post_attention_layernorm(x)
        return x + self.mlp["down_proj"](functional.silu(self.mlp["gate_proj"](h)) * self.mlp["up_proj"](h))


class Llama(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed_tokens = nn.Embedding(VOCABULARY, WIDTH)
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.norm = nn.RMSNorm(WIDTH, eps=1e-5)
        for name, weight in self.named_parameters():
            if weight.dim() == 2:
                nn.init.normal_(weight, std=0.02 if "embed" in name else 1 / math.sqrt(weight.shape[1]))

    def forward(self, ids):
        x = self.embed_tokens(ids)
        for layer in self.layers:
            x = layer(x)
        return functional.linear(self.norm(x), self.embed_tokens.weight)


def save(model, directory):
    directory.mkdir(parents=True, exist_ok=True)
    config = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": WIDTH,
              "intermediate_size": MLP, "num_hidden_layers": LAYERS, "num_attention_heads": HEADS,
              "num_key_value_heads": HEADS, "head_dim": HEAD_DIM, "vocab_size": VOCABULARY,
              "max_position_embeddings": CONTEXT, "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "hidden_act": "silu",
              "tie_word_embeddings": True, "torch_dtype": "float32"}
    (directory / "config.json").write_text(json.dumps(config, indent=1))
    header, data = {}, b""
    for name, weight in model.state_dict().items():
        raw = struct.pack(f"<{weight.numel()}f", *weight.flatten().tolist())
        header["model." + name] = {"dtype": "F32", "shape": list(weight.shape),
                                   "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    (directory / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("text", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--steps", type=int, default=1500)
    options = parser.parse_args()
    ids = torch.frombuffer(bytearray(options.text.read_bytes()), dtype=torch.uint8).long()
    train, calibration, evaluation = ids.split([len(ids) * 8 // 10, len(ids) // 10, len(ids) - len(ids) * 8 // 10
                                                - len(ids) // 10])
    torch.manual_seed(1)
    model = Llama()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, betas=(0.9, 0.99))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, options.steps, pct_start=0.05)
    for step in range(options.steps):
        starts = torch.randint(len(train) - CONTEXT - 1, (32,))
        batch = torch.stack([train[s:s + CONTEXT + 1] for s in starts])
        loss = functional.cross_entropy(model(batch[:, :-1]).flatten(0, 1), batch[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % 100 == 0 or step + 1 == options.steps:
            print(f"step {step}: loss {loss.item():.4f}", flush=True)
    save(model, options.out / "model")
    for name, part in (("calibration", calibration), ("eval", evaluation)):
        (options.out / f"{name}.bin").write_bytes(struct.pack(f"<{len(part)}H", *part.tolist()))


if __name__ == "__main__":
    main()
