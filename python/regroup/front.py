"""What a search found: the points of RUN/front.json, as objects and as a table."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
from typing import TYPE_CHECKING, Any

from regroup.grouping import Grouping, read_grouping

if TYPE_CHECKING:
    import pandas


@dataclasses.dataclass(frozen=True)
class Point:
    """One grouping that a run shows. What was not measured is None."""

    series: str  # "search", "paper", or a baseline: "neighbour", "mqa", "random"
    kv_ratio: float  # a part of the source's KV cache
    bytes_per_token: float
    loss: float | None  # nats per token
    delta_loss: float | None  # against the source
    kl: float | None  # of the source's predictions to this one's
    file: pathlib.Path | None  # its grouping JSON
    fields: dict[str, Any]  # everything that front.json says of it

    def grouping(self) -> Grouping:
        """Its groups, read from the file."""
        if self.file is None:
            raise ValueError("this point has no grouping file")
        return read_grouping(self.file)


@dataclasses.dataclass(frozen=True)
class Front:
    """The result of a run."""

    run: pathlib.Path
    source: dict[str, Any]  # "loss", "kv_bytes_per_token"
    points: list[Point]

    def best(self, kv: float) -> Point:
        """The search's own point with the largest cache within `kv`. Raises ValueError if there is none."""
        own = [point for point in self.points if point.series == "search" and point.kv_ratio <= kv + 1e-9]
        if not own:
            raise ValueError(f"{self.run} has no point within {kv} of the source's cache")
        return max(own, key=lambda point: point.kv_ratio)

    def table(self) -> list[dict[str, Any]]:
        """A row a point, with every field of front.json."""
        return [dict(point.fields) for point in self.points]

    def to_pandas(self) -> pandas.DataFrame:
        """The same as a data frame."""
        import pandas

        return pandas.DataFrame(self.table())


def _point_of(run: pathlib.Path, fields: dict[str, Any]) -> Point:
    file = fields.get("grouping")
    return Point(fields["series"], fields["kv_ratio"], fields["bytes_per_token"], fields.get("loss"),
                 fields.get("delta_loss"), fields.get("kl"), run / file if file else None, fields)


def read_front(run: str | os.PathLike[str]) -> Front:
    """Reads the result of a finished run. Raises ValueError where RUN/front.json is none."""
    folder = pathlib.Path(run)
    document = json.loads((folder / "front.json").read_text(encoding="utf-8"))
    if document.get("format") != "regroup.front":
        raise ValueError(f"{folder / 'front.json'} is no regroup.front")
    return Front(folder, document.get("source", {}), [_point_of(folder, fields) for fields in document["points"]])
