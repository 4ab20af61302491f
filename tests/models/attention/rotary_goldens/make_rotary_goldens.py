#!/usr/bin/env python3
"""Cosines and sines of rotary embedding as transformers computes them, for every rope type: rotary_goldens.json.

    make_rotary_goldens.py > rotary_goldens.json

Each case is a config.json, a window's length, and the tables [length, rotary dimensions] of all positions; it is made by
the class's own rotary embedding with a fresh state. Needs transformers and torch.
"""

import json

import torch
import transformers
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding
from transformers.models.phi3.modeling_phi3 import Phi3RotaryEmbedding

SIZES = {"hidden_size": 32, "num_attention_heads": 4, "num_hidden_layers": 2, "max_position_embeddings": 16}
LONG = {"short_factor": [1.0, 1.1, 1.3, 1.7], "long_factor": [1.0, 2.0, 5.0, 9.0]}

LLAMA = {
    "default": {"rope_theta": 100.0},
    "linear": {"rope_theta": 100.0, "rope_scaling": {"type": "linear", "factor": 4.0}},
    "dynamic": {"rope_theta": 100.0, "rope_scaling": {"type": "dynamic", "factor": 2.0}},
    "yarn": {
        "rope_theta": 100.0,
        "rope_scaling": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 8},
    },
    "yarn-by-hand": {
        "rope_parameters": {
            "rope_type": "yarn", "rope_theta": 1000.0, "factor": 3.0, "beta_fast": 4.0, "beta_slow": 0.25,
            "original_max_position_embeddings": 12, "truncate": False, "mscale": 0.7, "mscale_all_dim": 0.4,
        }
    },
    "yarn-factor-given": {
        "rope_theta": 100.0,
        "rope_scaling": {
            "rope_type": "yarn", "factor": 4.0, "attention_factor": 1.3, "original_max_position_embeddings": 8,
        },
    },
    "llama3": {
        "rope_theta": 100.0,
        "rope_scaling": {
            "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
            "original_max_position_embeddings": 32,
        },
    },
    "longrope": {"rope_theta": 100.0, "rope_scaling": {"rope_type": "longrope", "factor": 2.0,
                                                       "original_max_position_embeddings": 8, **LONG}},
}
PHI3 = {
    "phi3-longrope": {
        "rope_theta": 100.0, "original_max_position_embeddings": 8, "rope_scaling": {"type": "longrope", **LONG},
        "pad_token_id": 0,
    },
}


def case(name, config, embedding, length):
    positions = torch.arange(length)[None]
    cosines, sines = embedding(torch.zeros(1, length, 1), positions)
    given = config | {"model_type": "phi3" if name.startswith("phi3") else "llama"}
    return {
        "name": f"{name}, {length} tokens", "config": given, "length": length,
        "cosines": [[round(x, 8) for x in row] for row in cosines[0].tolist()],
        "sines": [[round(x, 8) for x in row] for row in sines[0].tolist()],
    }


cases = []
for name, settings in LLAMA.items():
    for length in (7, 24):
        config = SIZES | json.loads(json.dumps(settings))
        embedding = LlamaRotaryEmbedding(transformers.LlamaConfig(**json.loads(json.dumps(config))))
        cases.append(case(name, config, embedding, length))
for name, settings in PHI3.items():
    for length in (7, 24):
        config = SIZES | json.loads(json.dumps(settings))
        embedding = Phi3RotaryEmbedding(transformers.Phi3Config(**json.loads(json.dumps(config))))
        cases.append(case(name, config, embedding, length))
print(json.dumps({"transformers": transformers.__version__, "cases": cases}, separators=(",", ":")))
