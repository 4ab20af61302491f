"""A FAMILY model whose layers have their own numbers of attention heads.

Written by regroup. Only the sizes of the attention projections differ from FAMILYForCausalLM; attention, cache and
generation are those of transformers, and every layer's cache holds that layer's key/value heads and no more.
"""

from torch import nn
from transformers import FAMILYForCausalLM

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


class RegroupedForCausalLM(FAMILYForCausalLM):
    config_class = RegroupedConfig

    def __init__(self, config):
        super().__init__(config)
        for index, layer in enumerate(self.model.layers):
            attention = layer.self_attn
            queries, keys = config.heads(index)
            size = attention.head_dim
            attention.q_proj = resized(attention.q_proj, outputs=queries * size)
            attention.k_proj = resized(attention.k_proj, outputs=keys * size)
            attention.v_proj = resized(attention.v_proj, outputs=keys * size)
            attention.o_proj = resized(attention.o_proj, inputs=queries * size)
            attention.num_key_value_groups = queries // keys
        self.post_init()
