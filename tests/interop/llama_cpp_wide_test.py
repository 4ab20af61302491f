#!/usr/bin/env python3
"""Heads whose keys are wider than their values, with rotary frequencies of their own: which llama.cpp computes, and how.

    llama_cpp_wide_test.py

Writes tiny random models with the Python package gguf and compares llama.cpp's logits with plain NumPy. `llama` (and all
that `convert` writes) wants keys as wide as values; `step35` has a width for each, numbers of heads by layer,
`rope_freqs.weight`, and no norm of queries and keys, bias or gate unless the file has one. REGROUP_LLAMA_CPP names the
folder of llama.cpp's libraries.
"""

import pathlib
import tempfile
from dataclasses import dataclass

import gguf
import numpy

from llama_cpp_model import LlamaCppModel

TOLERANCE = 5e-5  # of logits, relative to the largest
WIDTH, MLP, VOCABULARY, CONTEXT, EPSILON, BASE = 96, 80, 64, 64, 1e-5, 10000.0
CACHE_TOKENS, MIB = 8192, 1 << 20


@dataclass
class Shape:
    architecture: str
    key: int
    value: int
    heads: list  # (query heads, KV heads) of each layer
    interleaved: bool  # rotary pairs: (2c, 2c + 1), not (c, c + key/2)


SHAPES = (Shape("llama", 64, 64, [(4, 2), (4, 2)], True), Shape("step35", 64, 32, [(4, 2), (6, 1), (3, 3)], False))


def random_tensors(shape):
    """The tensors by llama.cpp's names, [rows, columns]; matrices map columns to rows."""
    shapes = {"token_embd": (VOCABULARY, WIDTH), "output_norm": (WIDTH,), "output": (VOCABULARY, WIDTH),
              "rope_freqs": (shape.key // 2,)}
    for layer, (queries, stored) in enumerate(shape.heads):
        for name, size in {
                "attn_norm": (WIDTH,), "attn_q": (queries * shape.key, WIDTH), "attn_k": (stored * shape.key, WIDTH),
                "attn_v": (stored * shape.value, WIDTH), "attn_output": (WIDTH, queries * shape.value), "ffn_norm": (WIDTH,),
                "ffn_gate": (MLP, WIDTH), "ffn_up": (MLP, WIDTH), "ffn_down": (WIDTH, MLP)}.items():
            shapes[f"blk.{layer}.{name}"] = size
    draw = numpy.random.default_rng(1)
    return {f"{name}.weight": (draw.uniform(0.5, 2, size) if len(size) == 1 else draw.normal(0, 0.2, size)).astype("f4")
            for name, size in shapes.items()}


def write_model(file, shape, tensors):
    writer = gguf.GGUFWriter(file, shape.architecture)
    writer.add_vocab_size(VOCABULARY)
    writer.add_tokenizer_model("none")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(MLP)
    # step35 wants a layer with a window; the one that it would predict further tokens with may be absent from a file.
    absent = 1 if shape.architecture == "step35" else 0
    heads = shape.heads + shape.heads[-1:] * absent
    writer.add_block_count(len(heads))
    writer.add_head_count([queries for queries, _ in heads])
    writer.add_head_count_kv([stored for _, stored in heads])
    writer.add_key_length(shape.key)
    writer.add_value_length(shape.value)
    writer.add_layer_norm_rms_eps(EPSILON)
    writer.add_rope_freq_base(BASE)
    if absent:
        writer.add_rope_dimension_count(2 * shape.key)  # a layer without a window turns half of it
        writer.add_expert_feed_forward_length(0)
        writer.add_nextn_predict_layers(absent)
        writer.add_sliding_window(CONTEXT)
        writer.add_sliding_window_pattern([False] * len(shape.heads) + [True] * absent)
    else:
        writer.add_rope_dimension_count(shape.key)
    for name, tensor in tensors.items():
        writer.add_tensor(name, tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def norm(x, weight):
    return x / numpy.sqrt((x * x).mean(-1, keepdims=True) + EPSILON) * weight


def turned(x, shape, divisors):
    """[tokens, heads, key] turned by its positions."""
    pairs = numpy.arange(shape.key // 2)
    first, second = (2 * pairs, 2 * pairs + 1) if shape.interleaved else (pairs, pairs + shape.key // 2)
    angles = numpy.arange(len(x))[:, None, None] * BASE ** (-2 * pairs / shape.key) / divisors
    result = numpy.empty_like(x)
    result[..., first] = x[..., first] * numpy.cos(angles) - x[..., second] * numpy.sin(angles)
    result[..., second] = x[..., first] * numpy.sin(angles) + x[..., second] * numpy.cos(angles)
    return result


def naive_logits(shape, tensors, ids):
    """Logits [tokens, vocabulary] by the definition, in float64."""
    weights = {name.removesuffix(".weight"): tensor.astype("f8") for name, tensor in tensors.items()}
    x = weights["token_embd"][ids]
    later = numpy.triu(numpy.ones((len(ids), len(ids)), bool), 1)
    for layer, (queries, stored) in enumerate(shape.heads):
        block = {name.removeprefix(f"blk.{layer}."): weight for name, weight in weights.items()}
        y = norm(x, block["attn_norm"])
        query = turned((y @ block["attn_q"].T).reshape(len(ids), queries, shape.key), shape, weights["rope_freqs"])
        key = turned((y @ block["attn_k"].T).reshape(len(ids), stored, shape.key), shape, weights["rope_freqs"])
        value = (y @ block["attn_v"].T).reshape(len(ids), stored, shape.value)
        mixed = []
        for head in range(queries):
            group = head * stored // queries
            scores = query[:, head] @ key[:, group].T / numpy.sqrt(shape.key)
            weight = numpy.exp(numpy.where(later, -numpy.inf, scores))
            mixed.append(weight / weight.sum(-1, keepdims=True) @ value[:, group])
        x = x + numpy.concatenate(mixed, -1) @ block["attn_output"].T
        y = norm(x, block["ffn_norm"])
        gate = y @ block["ffn_gate"].T
        x = x + (gate / (1 + numpy.exp(-gate)) * (y @ block["ffn_up"].T)) @ block["ffn_down"].T
    return norm(x, weights["output_norm"]) @ weights["output"].T


def main():
    ids = [(37 * place + 11) % VOCABULARY for place in range(48)]
    with tempfile.TemporaryDirectory() as folder:
        for shape in SHAPES:
            file = pathlib.Path(folder) / f"{shape.architecture}.gguf"
            tensors = random_tensors(shape)
            write_model(file, shape, tensors)
            wanted = naive_logits(shape, tensors, ids)
            loaded = LlamaCppModel(file)
            loaded.open_context(CONTEXT)
            error = numpy.abs(loaded.logits(ids) - wanted).max() / numpy.abs(wanted).max()
            cache = loaded.cache_mib(CACHE_TOKENS)
            loaded.close()
            print(f"{shape.architecture:8} keys of {shape.key}, values of {shape.value}: largest difference {error:.1e} "
                  f"of the largest logit, cache {cache[0]:.2f} + {cache[1]:.2f} MiB")
            assert error < TOLERANCE
            stored = sum(kv_heads for _, kv_heads in shape.heads)
            assert cache == tuple(stored * width * 2 * CACHE_TOKENS / MIB for width in (shape.key, shape.value))


if __name__ == "__main__":
    main()
