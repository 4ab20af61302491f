"""Configuration of a SOURCE_MODEL whose layers have their own attention heads.

Written by regroup. The keys are those of DeciLM and Nemotron-NAS: `block_configs` holds for every layer
`attention.n_heads_in_group`, the query heads that share a key/value head, and `num_key_value_heads_per_layer` the
number of these. `num_attention_heads_per_layer` is there where the number of query heads differs too.
Where layers have widths of their own, `key_width_per_layer` and `value_width_per_layer` say them, and
`key_frequencies_per_layer` with which of the source's rotary frequencies each pair of a key's rows turns.
"""

from transformers import SOURCE_CONFIG


class BlockConfig(dict):
    """A part of `block_configs`: saved as JSON, read as an object."""

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


def as_blocks(value):
    """The same with every dictionary a BlockConfig."""
    if isinstance(value, dict):
        return BlockConfig({key: as_blocks(inner) for key, inner in value.items()})
    return [as_blocks(inner) for inner in value] if isinstance(value, list) else value


class RegroupedConfig(SOURCE_CONFIG):
    def __setattr__(self, name, value):
        super().__setattr__(name, as_blocks(value) if name == "block_configs" else value)

    def heads(self, layer):
        """Query heads and key/value heads of a layer."""
        queries = getattr(self, "num_attention_heads_per_layer", None)
        return (queries[layer] if queries else self.num_attention_heads), self.num_key_value_heads_per_layer[layer]

    def widths(self, layer, head_dim):
        """Numbers of a key and of a value of a layer."""
        keys = getattr(self, "key_width_per_layer", None)
        return (keys[layer], self.value_width_per_layer[layer]) if keys else (head_dim, head_dim)

    def frequencies(self, layer):
        """Of each pair of a key's rows its rotary frequency; None: as SOURCE_MODEL has them."""
        listed = getattr(self, "key_frequencies_per_layer", None)
        return listed[layer] if listed else None
