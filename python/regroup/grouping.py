"""Grouping JSON (format regroup.grouping, versions 1 and 2): read, looked at, changed, written."""

from __future__ import annotations

import dataclasses
import json
import os
from typing import Any

FORMAT = "regroup.grouping"
_LAYER_FIELDS = ("index", "key_groups", "value_groups", "query_to_group", "key_widths", "value_widths")


@dataclasses.dataclass
class Layer:
    """One layer: which KV heads share a key, and which share a value."""

    index: int
    key_groups: list[list[int]]
    value_groups: list[list[int]]
    query_to_group: list[int] | None = None  # of each query head; None: its own KV head's group
    key_widths: list[int] | None = None  # numbers that each group stores; None: head_dim
    value_widths: list[int] | None = None
    other: dict[str, Any] = dataclasses.field(default_factory=dict)  # further fields of the file

    def require_partition(self, heads: int, where: str) -> None:
        """Raises ValueError unless every KV head is in one group of keys and one of values."""
        for name in ("key_groups", "value_groups"):
            members = sorted(head for group in getattr(self, name) for head in group)
            if members != list(range(heads)):
                raise ValueError(f"{where}, layer {self.index}, {name}: not every one of {heads} KV heads is in one group")


@dataclasses.dataclass
class Grouping:
    """A grouping of all layers, and the rest of its file."""

    layers: list[Layer]
    document: dict[str, Any] = dataclasses.field(default_factory=dict)  # all fields but "layers"

    @property
    def kv_heads(self) -> int:
        """KV heads of a layer of the source."""
        return sum(len(group) for group in self.layers[0].key_groups)

    @property
    def merge(self) -> str:
        """The merge operator, "mean" where the file does not say."""
        return self.document.get("merge", "mean")

    @property
    def kv_ratio(self) -> float:
        """What the groups store, as a part of what the source does. With widths, "model" must say head_dim."""
        head_dim = self.document.get("model", {}).get("head_dim")
        stored = 0.0
        for layer in self.layers:
            for groups, widths in ((layer.key_groups, layer.key_widths), (layer.value_groups, layer.value_widths)):
                if widths is None:
                    stored += len(groups)
                elif head_dim is None:
                    raise ValueError("a grouping with widths needs \"model\" with \"head_dim\"")
                else:
                    stored += sum(widths) / head_dim
        return stored / (2 * len(self.layers) * self.kv_heads)

    def text(self) -> str:
        """The file's text, a line a layer."""
        has_widths = any(layer.key_widths or layer.value_widths for layer in self.layers)
        document = {"format": FORMAT, "version": 2 if has_widths else 1,
                    **{name: value for name, value in self.document.items() if name not in ("format", "version")}}
        lines = [f"  {json.dumps(name)}: {json.dumps(value, separators=(',', ':'))}" for name, value in document.items()]
        layers = ",\n".join("    " + json.dumps(_layer_json(layer), separators=(",", ":")) for layer in self.layers)
        return "{\n" + ",\n".join([*lines, f'  "layers": [\n{layers}\n  ]']) + "\n}\n"

    def write(self, path: str | os.PathLike[str]) -> None:
        """Writes the file: complete, or not at all."""
        partial = f"{os.fspath(path)}.partial"
        with open(partial, "w", encoding="utf-8") as file:
            file.write(self.text())
        os.replace(partial, path)


def _layer_json(layer: Layer) -> dict[str, Any]:
    named = {name: getattr(layer, name) for name in _LAYER_FIELDS}
    return {**{name: value for name, value in named.items() if value is not None}, **layer.other}


def _layer_of(entry: dict[str, Any], where: str) -> Layer:
    try:
        known = {name: entry[name] for name in _LAYER_FIELDS if name in entry}
        known.setdefault("value_groups", known["key_groups"])
        return Layer(**known, other={name: value for name, value in entry.items() if name not in _LAYER_FIELDS})
    except (KeyError, TypeError) as error:
        raise ValueError(f"{where}: not a layer with \"index\" and \"key_groups\": {entry}") from error


def read_grouping(path: str | os.PathLike[str]) -> Grouping:
    """Reads a grouping JSON. Raises ValueError, naming the file, for another one or heads that are not in one group each."""
    where = os.fspath(path)
    with open(path, encoding="utf-8") as file:
        try:
            document = json.load(file)
        except json.JSONDecodeError as error:
            raise ValueError(f"{where} is no JSON: {error}") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT or document.get("version") not in (1, 2):
        raise ValueError(f"{where} is no {FORMAT}, version 1 or 2")
    layers = document.pop("layers", None)
    if not isinstance(layers, list) or not layers:
        raise ValueError(f"{where} lists no layers")
    grouping = Grouping([_layer_of(entry, where) for entry in layers], document)
    grouping.layers.sort(key=lambda layer: layer.index)
    for layer in grouping.layers:
        layer.require_partition(grouping.kv_heads, where)
    return grouping
