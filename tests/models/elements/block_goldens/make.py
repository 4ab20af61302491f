"""Writes blocks.json beside itself: random blocks of every type, and what the Python package gguf makes of them.

usage: make.py   (gguf 0.19 and numpy; the versions that were used stand in the file)
Numbers are the bits of floats, so that nothing is rounded on the way.
"""
import importlib.metadata
import json
import os

import gguf
import numpy as np

TYPES = ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q4_K", "Q5_K", "Q6_K"]
# Where the block's scales in F16 stand: random bits there would be NaN or Inf now and then.
SCALES = {"Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0], "Q4_K": [0, 2], "Q5_K": [0, 2],
          "Q6_K": [208]}
BLOCKS = 3

random = np.random.default_rng(20240601)
result = {"versions": {name: importlib.metadata.version(name) for name in ("gguf", "numpy")}, "types": {}}
for name in TYPES:
    kind = gguf.GGMLQuantizationType[name]
    elements, size = gguf.GGML_QUANT_SIZES[kind]
    blocks = random.integers(0, 256, (BLOCKS, size), dtype=np.uint8)
    for at in SCALES[name]:
        scales = random.normal(0, 0.01, BLOCKS).astype(np.float16)
        blocks[:, at:at + 2] = scales.view(np.uint8).reshape(BLOCKS, 2)
    values = gguf.quants.dequantize(blocks.reshape(1, -1), kind).astype(np.float32).reshape(-1)
    assert len(values) == BLOCKS * elements
    result["types"][name] = {"blocks": blocks.reshape(-1).tobytes().hex(),
                             "bits": values.view(np.uint32).tolist()}
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "blocks.json"), "w") as file:
    json.dump(result, file, indent=None, separators=(",", ":"))
    file.write("\n")
