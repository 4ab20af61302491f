"""A SOURCE_MODEL whose heads are mixtures of keys (Transformer-MGK, arXiv 2110.08678).

Written by regroup. Only the attention differs from SOURCE_MODEL: a token's share in what a query gets is the softmax of
logsumexp_m(ln pi_m - |q - k_m|^2 / 2 sigma_m^2), or with linear features phi(q) sum_m pi_m phi(k_m), phi = elu + 1. It
computes whole sequences, without a cache.
"""

import math

import torch
from torch import nn
from transformers import SOURCE_MODEL

from .configuration_mixture import MixtureConfig


def features(x):
    return nn.functional.elu(x) + 1


class MixtureAttention:
    """What stands in place of a family's attention by dot products."""

    def add_mixture(self, config, width, heads):
        own = config.attention
        linear = own.get("kind", "mgk") != "mgk"
        self.mixture = own
        self.is_linear = linear
        self.components = own.get("components", 1 if own.get("kind") == "linear" else 2)
        self.mixture_heads, self.head_width = heads, width // heads
        if own.get("shifted", False):
            self.shifts = nn.Parameter(torch.zeros(self.components, width))
        else:
            for number in range(1, self.components):
                setattr(self, f"key_{number}", nn.Linear(width, width, bias=self.has_key_bias()))
        by_position = own.get("position", "head") == "key"
        positions = (config.max_position_embeddings,) if by_position else ()
        self.prior = nn.Parameter(torch.full((self.components, heads, *positions), 1 / self.components))

    def has_key_bias(self):
        projection = self.c_attn if hasattr(self, "c_attn") else self.k_proj
        return projection.bias is not None

    def split(self, x):
        return x.view(*x.shape[:-1], self.mixture_heads, self.head_width).transpose(1, 2)

    def projected(self, x):
        """Queries, the keys of every component, values, by head."""
        if hasattr(self, "c_attn"):
            query, key, value = self.c_attn(x).split(self.split_size, dim=2)
        else:
            query, key, value = self.q_proj(x), self.k_proj(x), self.v_proj(x)
        if hasattr(self, "shifts"):
            keys = [key + self.shifts[m] for m in range(self.components)]
        else:
            keys = [key] + [getattr(self, f"key_{m}")(x) for m in range(1, self.components)]
        return self.split(query), [self.split(k) for k in keys], self.split(value)

    def logits(self, query, keys):
        soft = self.mixture.get("e_step", "gradient") != "hard"
        found = []
        for number, key in enumerate(keys):
            inverse = 1 / math.sqrt(self.head_width)
            if number > 0 and self.mixture.get("variance", "equal") == "third":
                inverse *= 3
            squares = query.square().sum(-1, keepdim=True) + key.square().sum(-1).unsqueeze(-2)
            energy = inverse * (query @ key.transpose(2, 3) - 0.5 * squares)
            if soft:
                prior = self.prior[number].clamp(1e-30, 1).log()
                prior = prior[:, None, None] if prior.dim() == 1 else prior[:, None, : key.shape[2]]
                energy = energy + prior
            found.append(energy)
        joint = torch.stack(found)
        return joint.logsumexp(0) if soft else joint.amax(0)

    def shares(self, query, keys, hidden):
        if self.is_linear:
            prior = self.prior.clamp(0, 1)[:, :, None, None]
            mixed = sum(prior[m] * features(key) for m, key in enumerate(keys))
            scores = (features(query) @ mixed.transpose(2, 3)).masked_fill(hidden, 0)
            return scores / scores.sum(-1, keepdim=True)
        return self.logits(query, keys).masked_fill(hidden, float("-inf")).softmax(-1)

    def forward(self, hidden_states, *args, attention_mask=None, **kwargs):
        query, keys, value = self.projected(hidden_states)
        length = query.shape[2]
        hidden = torch.ones(length, length, dtype=torch.bool, device=query.device).triu(1)
        if attention_mask is not None and attention_mask.dim() == 4:
            mask = attention_mask[..., :length, :length]
            hidden = hidden | (~mask if mask.dtype == torch.bool else mask < -1)
        mixed = (self.shares(query, keys, hidden) @ value).transpose(1, 2).flatten(2)
        return (self.c_proj if hasattr(self, "c_proj") else self.out_proj)(mixed), None


class MixtureForCausalLM(SOURCE_MODEL):
    config_class = MixtureConfig

    def __init__(self, config):
        config.use_cache = False
        super().__init__(config)
        for attention in [module for module in self.modules() if type(module).__name__.endswith("Attention")]:
            family = type(attention)
            attention.__class__ = type("Mixture" + family.__name__, (MixtureAttention, family), {})
            attention.add_mixture(config, config.hidden_size, config.num_attention_heads)
        self.post_init()

    def generate(self, *args, **kwargs):
        return super().generate(*args, **{**kwargs, "use_cache": False})
