"""Configuration of a SOURCE_MODEL whose heads are mixtures of keys.

Written by regroup. `attention` says which: {"kind": "mgk" | "mlk" | "linear", "components", "shifted", "e_step",
"position", "variance"} (Transformer-MGK, arXiv 2110.08678).
"""

from transformers import SOURCE_CONFIG


class MixtureConfig(SOURCE_CONFIG):
    model_type = "regroup_mixture"
