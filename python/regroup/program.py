"""The program beside this module: where it is, and how it finds LibTorch."""

from __future__ import annotations

import importlib.util
import os
import pathlib
import shutil
import subprocess
import sys


class RegroupError(RuntimeError):
    """The program refused or failed: its message, and its exit status (2: bad input, 1: failed while working)."""

    def __init__(self, message: str, status: int):
        super().__init__(message)
        self.status = status


def program() -> pathlib.Path:
    """The program: what REGROUP_PROGRAM names, else that of this package, else the one on PATH."""
    if named := os.environ.get("REGROUP_PROGRAM"):
        return pathlib.Path(named)
    own = pathlib.Path(__file__).parent / "bin" / "regroup"
    if own.exists():
        return own
    here = pathlib.Path(sys.argv[0]).resolve()
    found = shutil.which("regroup")
    if found and pathlib.Path(found).resolve() != here:
        return pathlib.Path(found)
    raise RegroupError("the program regroup is not there: install the package's wheel, or set REGROUP_PROGRAM", 2)


def environment() -> dict[str, str]:
    """The variables that the program is started with: LibTorch is the installed torch's."""
    result = dict(os.environ)
    torch = importlib.util.find_spec("torch")
    if torch is None or not torch.submodule_search_locations:
        return result
    folder = pathlib.Path(list(torch.submodule_search_locations)[0])
    others = [result["LD_LIBRARY_PATH"]] if result.get("LD_LIBRARY_PATH") else []
    own = [str(folder / "lib"), str(folder.parent / "torch.libs")]
    result["LD_LIBRARY_PATH"] = os.pathsep.join([*own, *others])
    return result


def run(*arguments: str | os.PathLike[str]) -> str:
    """Runs the program and returns what it prints. Raises RegroupError with its message where it fails.

        regroup.run("convert", "MODEL", "--run", "RUN", "--kv", "0.5", "-o", "OUT")
    """
    command = [str(program()), *map(os.fspath, arguments)]
    done = subprocess.run(command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise RegroupError(done.stderr.strip(), done.returncode)
    return done.stdout


def main() -> None:
    """The command `regroup`: becomes the program."""
    try:
        path = program()
    except RegroupError as error:
        sys.exit(f"regroup: {error}")
    os.execve(path, ["regroup", *sys.argv[1:]], environment())
