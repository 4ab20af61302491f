"""Starts a search and tells how far it is."""

from __future__ import annotations

import dataclasses
import os
import re
import subprocess
from typing import Any, Callable

from regroup.front import Front, read_front
from regroup.program import RegroupError, environment, program

_LINE = re.compile(r"(?P<stage>[^:]+): (?:(?P<percent>\d+) %, )?(?P<text>.*)")


@dataclasses.dataclass(frozen=True)
class Progress:
    """A line of what a search says of itself."""

    stage: str  # "calibrating"; of a remark the whole line
    fraction: float | None  # of the stage; 1 where it has ended, None of a remark
    text: str  # "8833 tokens/s, 2.9 s left"


def _progress_of(line: str) -> Progress:
    match = _LINE.fullmatch(line)
    if match is None:
        return Progress(line, None, "")
    percent = match["percent"]
    return Progress(match["stage"], int(percent) / 100 if percent else 1.0, match["text"])


def _arguments(options: dict[str, Any]) -> list[str]:
    """kv=[0.5, 0.25] → --kv 0.5,0.25; keep_weights=True → --keep-weights; None and False: left out."""
    arguments = []
    for name, value in options.items():
        flag = "--" + name.replace("_", "-")
        if value is None or value is False:
            continue
        arguments.append(flag)
        if value is not True:
            arguments.append(",".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value))
    return arguments


def search(model: str | os.PathLike[str], output: str | os.PathLike[str], *,
           progress: Callable[[Progress], None] | None = None, **options: Any) -> Front:
    """Searches MODEL, writes the run directory OUTPUT and returns its front.

    Options are those of `regroup search`, with underscores: kv=[0.5, 0.25], calibration="text.txt", resume=True.
    `progress` is called with every line of progress; an exception in it ends the search, which `resume=True` goes on
    with. Raises RegroupError where the program refuses or fails.
    """
    command = [str(program()), "search", os.fspath(model), "-o", os.fspath(output), *_arguments(options)]
    said: list[str] = []
    with subprocess.Popen(command, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          text=True) as running:
        assert running.stderr is not None
        try:
            for line in running.stderr:
                said.append(line.rstrip("\n"))
                if progress is not None and not said[-1].startswith(("regroup:", " ")):
                    progress(_progress_of(said[-1]))
        except BaseException:
            running.terminate()
            raise
    if running.returncode != 0:
        begin = next((i for i, line in enumerate(said) if line.startswith("regroup:")), 0)
        raise RegroupError("\n".join(said[begin:]), running.returncode)
    return read_front(output)
