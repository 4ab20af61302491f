"""Says to scikit-build-core which torch a wheel depends on: the release that the program is linked with."""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).parents[1]


def dynamic_metadata(field, settings=None):
    if field != "dependencies":
        raise ValueError(f"only dependencies are known here, not {field}")
    python = f"-DPython_EXECUTABLE={sys.executable}"
    found = subprocess.run(["cmake", python, "-P", ROOT / "cmake/FindLibTorch.cmake"], capture_output=True, text=True)
    version = re.search(r"LibTorch (\d+\.\d+\.\d+)", found.stdout + found.stderr)
    if found.returncode != 0 or version is None:
        raise RuntimeError(f"no LibTorch to link with: {found.stderr.strip()}")
    return [f"torch=={version[1]}"]
