"""regroup for Python: read and write groupings, read what a search found, apply a grouping, start a search.

    import regroup
    front = regroup.search("MODEL", "RUN", kv=[0.5], progress=print)
    for point in front.points:
        print(point.kv_ratio, point.loss)

The command is `regroup`; `python -m regroup` is the same.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from regroup.front import Front, Point, read_front
from regroup.grouping import Grouping, Layer, read_grouping
from regroup.program import RegroupError, program, run
from regroup.search import Progress, search

if TYPE_CHECKING:
    import torch

__all__ = ["Front", "Grouping", "Layer", "Point", "Progress", "RegroupError", "apply_grouping", "program", "read_front",
           "read_grouping", "run", "search"]


def apply_grouping(model: torch.nn.Module, path: str | os.PathLike[str]) -> None:
    """Gives every KV head of a model of transformers the mean of its group, as the grouping JSON at `path` says.

    What `regroup convert --layout expand` writes of a grouping with `"merge": "mean"`: exact in every engine, and no smaller
    cache. Raises ValueError if the grouping does not fit, or asks for what is fitted on text: that needs `regroup convert`.
    """
    from regroup import apply  # torch is imported only here

    apply.apply_grouping(model, path)
