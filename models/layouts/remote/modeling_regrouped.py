"""A SOURCE_MODEL whose layers have their own attention heads.

Written by regroup. Only the sizes of the attention projections differ from SOURCE_MODEL, and where layers have
widths of their own how keys turn with their positions; attention, cache and generation are those of transformers, and
every layer's cache holds that layer's keys and values and no more.
"""

import sys

import torch
from torch import nn
from transformers import SOURCE_MODEL
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from .configuration_regrouped import RegroupedConfig


def resized(linear, outputs=None, inputs=None):
    """A projection of another size, with a bias where the given one has one."""
    return nn.Linear(
        inputs or linear.in_features,
        outputs or linear.out_features,
        bias=linear.bias is not None,
        device=linear.weight.device,
        dtype=linear.weight.dtype,
    )


class LayerConfig:
    """The model's configuration with what one layer has of its own."""

    def __init__(self, config, **own):
        self.__dict__.update(own, model_config=config)

    def __getattr__(self, name):
        if name == "model_config":
            raise AttributeError(name)
        return getattr(self.model_config, name)


def attentions(model):
    """The attention of every layer, whatever the source calls it."""
    return [module for module in model.modules()
            if type(module).__name__.endswith("Attention") and hasattr(module, "layer_idx")]


def first_of(module, *names):
    """The name that the module has, or None."""
    return next((name for name in names if hasattr(module, name)), None)


def resize(attention, queries, heads, keys, values):
    """Gives the attention so many query heads and stored heads, of these widths."""
    rows = {"q_proj": queries * keys, "k_proj": heads * keys, "v_proj": heads * values}
    fused = first_of(attention, "qkv_proj", "query_key_value")
    if fused:
        rows = {fused: sum(rows.values())}
    for name, outputs in rows.items():
        setattr(attention, name, resized(getattr(attention, name), outputs=outputs))
    output = first_of(attention, "o_proj", "dense")
    setattr(attention, output, resized(getattr(attention, output), inputs=queries * values))
    norm = getattr(attention, "k_norm", None)
    if norm is not None and norm.weight.numel() != attention.head_dim:  # one norm over all heads
        norm.weight = nn.Parameter(norm.weight.new_ones(heads * keys))
    numbers = {"num_heads": queries, "num_key_value_heads": heads, "num_kv_heads": heads}
    for name, number in numbers.items():
        if hasattr(attention, name):
            setattr(attention, name, number)
    attention.num_key_value_groups = queries // heads
    attention.config = LayerConfig(attention.config, num_attention_heads=queries, num_key_value_heads=heads)


class WideAttention:
    """Attention whose keys and values have widths of their own."""

    def forward(
        self, hidden_states, position_embeddings, attention_mask=None, cache=None, past_key_values=None, **kwargs
    ):
        family = sys.modules[self.family]
        lengths = hidden_states.shape[:-1]
        queries = self.q_proj(hidden_states).view(*lengths, -1, self.key_width).transpose(1, 2)
        keys = self.k_proj(hidden_states).view(*lengths, -1, self.key_width).transpose(1, 2)
        values = self.v_proj(hidden_states).view(*lengths, -1, self.value_width).transpose(1, 2)
        # A pair of rows turns with one of the source's frequencies; both halves of a head have the same.
        turns = torch.tensor(self.frequencies * 2, device=hidden_states.device)
        cosines, sines = (table[..., turns] for table in position_embeddings)
        queries, keys = family.apply_rotary_pos_emb(queries, keys, cosines, sines)
        cache = past_key_values if cache is None else cache  # its name in other releases of transformers
        if cache is not None:
            keys, values = cache.update(keys, values, self.layer_idx)
        attend = ALL_ATTENTION_FUNCTIONS.get_interface(
            self.config._attn_implementation, family.eager_attention_forward
        )
        mixed, weights = attend(
            self,
            queries,
            keys,
            values,
            attention_mask,
            scaling=self.scaling * (self.head_dim / self.key_width) ** 0.5,
            sliding_window=getattr(self.config, "sliding_window", None),
            **kwargs,
        )
        return self.o_proj(mixed.reshape(*lengths, -1).contiguous()), weights


def widen(attention, key_width, value_width, frequencies):
    """The same attention with these widths."""
    family = type(attention)
    attention.family = family.__module__
    attention.key_width, attention.value_width, attention.frequencies = key_width, value_width, frequencies
    attention.__class__ = type("Wide" + family.__name__, (WideAttention, family), {})


class REGROUPED_MODEL(SOURCE_MODEL):
    config_class = RegroupedConfig

    def __init__(self, config):
        super().__init__(config)
        for attention in attentions(self):
            index = attention.layer_idx
            queries, heads = config.heads(index)
            keys, values = config.widths(index, attention.head_dim)
            resize(attention, queries, heads, keys, values)
            if config.frequencies(index) is not None:
                widen(attention, keys, values, config.frequencies(index))
        self.post_init()
