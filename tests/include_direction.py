#!/usr/bin/env python3
"""Checks who includes whom against the declared order of folders, tests/include_order.txt.

    include_direction.py ROOT         exit 1 and one line for each violation
    include_direction.py --self-test  checks that violations are found

Rules, for every .hpp and .cpp file:
  * a quoted include names a file from the repository root: "search/groupings/partition.hpp";
  * a file includes its own folder and those above it in the order; so no two folders include each other;
  * tests/X includes what any folder of X may, tests/support, tests/fixtures and tests/X; tests/support includes search/,
    tests/fixtures models/ too; tests/bench and tests/fuzz may include every folder;
    "regroup/version.hpp" (generated) is free to all;
  * folders marked "torch", and tests/models, may include torch's headers and headers that do, directly or through
    others; no other folder may.
"""

import pathlib
import re
import sys
import tempfile

TEST_HELPERS = ["tests/support", "tests/fixtures"]
TORCH = ("torch", "ATen", "c10", "caffe2")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


class Order:
    """The declared folders, earlier ones first."""

    def __init__(self, text):
        words = [line.split() for line in text.splitlines() if line.strip() and not line.startswith("#")]
        self.folders = [line[0] for line in words]
        self.torch = {line[0] for line in words if line[1:] == ["torch"]}
        self.tops = list(dict.fromkeys(folder.split("/")[0] for folder in self.folders))

    def folder_of(self, path):
        """The nearest listed folder around a file, None where there is none."""
        for parent in pathlib.PurePath(path).parents:
            if parent.as_posix() in self.folders:
                return parent.as_posix()
        return None

    def up_to(self, top):
        return self.tops[: self.tops.index(top) + 1]


def allowed_tops(path, order):
    """Top folders that a test may include; None for a file under no rule."""
    parts = path.parts
    if len(parts) < 3:
        return None
    if parts[1] in order.tops:
        return order.up_to(parts[1]) + TEST_HELPERS + [f"tests/{parts[1]}"]
    if parts[1] == "support":
        return ["search", "tests/support"]
    if parts[1] == "fixtures":
        return ["search", "models"] + TEST_HELPERS
    return order.tops + TEST_HELPERS + [f"tests/{parts[1]}"]


def may_see_torch(path, order):
    return order.folder_of(path) in order.torch or path.parts[:2] == ("tests", "models")


def is_torch(target):
    return target.split("/")[0] in TORCH


def read_includes(root, order):
    """{path from root: [(line number, quote, target), ...]} for every source file."""
    includes = {}
    for top in order.tops + ["tests"]:
        for file in sorted((root / top).rglob("*")):
            if file.suffix not in (".hpp", ".cpp"):
                continue
            lines = enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
            found = ((number, INCLUDE.match(line)) for number, line in lines)
            includes[file.relative_to(root)] = [(number, *match.groups()) for number, match in found if match]
    return includes


def headers_with_torch(includes):
    """Names of the files that include torch's headers, directly or through others."""
    tainted, grows = set(), True
    while grows:
        more = {str(path) for path, lines in includes.items()
                if any(is_torch(target) or target in tainted for _, _, target in lines)}
        grows = more != tainted
        tainted = more
    return tainted


def wrong_direction(path, target, order):
    """Why a file may not include another, None if it may."""
    if path.parts[0] == "tests":
        allowed = allowed_tops(path, order)
        if allowed is None or any(target.startswith(folder + "/") for folder in allowed):
            return None
        return f"may include only {', '.join(allowed)}, named from the repository root"
    own, other = order.folder_of(path), order.folder_of(target)
    if own is None:
        return "its folder does not stand in tests/include_order.txt"
    if other is None:
        return "not a file of a listed folder, named from the repository root"
    if order.folders.index(other) > order.folders.index(own):
        return f"{other} comes after {own} in tests/include_order.txt"
    return None


def violations(includes, order):
    """One message for each violation."""
    found = []
    tainted = headers_with_torch(includes)
    for path, lines in includes.items():
        if path.parts[0] == "tests" and allowed_tops(path, order) is None:
            continue
        for number, quote, target in lines:
            where = f"{path}:{number}: {target}"
            if is_torch(target):
                if not may_see_torch(path, order):
                    found.append(f"{where}: torch's headers belong in the folders marked so, and tests/models")
            elif quote == '"' and target != "regroup/version.hpp":
                why = wrong_direction(path, target, order)
                if why is not None:
                    found.append(f"{where}: {why}")
                elif target in tainted and not may_see_torch(path, order):
                    found.append(f"{where}: brings in torch's headers")
    return found


SELF_TEST_ORDER = """# a comment
search/base
search/costs
models/files
models/tensors torch
models/tensors/deep torch
fitness
apps
"""

SELF_TEST = [
    # file, its include, is a violation; models/tensors/tensor.hpp has torch, deep/deep.hpp has it through that
    ("search/base/a.cpp", '#include "search/base/a.hpp"', False),
    ("search/base/a.cpp", '#include "a.hpp"', True),
    ("search/base/a.cpp", '#include "../search/base/a.hpp"', True),
    ("search/base/a.cpp", '#include "search/costs/a.hpp"', True),
    ("search/costs/a.cpp", '#include "search/base/a.hpp"', False),
    ("search/costs/inner/a.cpp", '#include "search/base/a.hpp"', False),
    ("search/base/a.cpp", '#include "models/files/plain.hpp"', True),
    ("search/base/a.cpp", "#include <torch/torch.h>", True),
    ("search/base/a.cpp", "#include <vector>", False),
    ("search/base/a.cpp", '// #include "models/files/plain.hpp"', False),
    ("search/base/a.cpp", '#include "regroup/version.hpp"', False),
    ("search/a.cpp", '#include "search/base/a.hpp"', True),
    ("search/unlisted/a.cpp", '#include "search/base/a.hpp"', True),
    ("models/files/a.cpp", '#include "search/costs/a.hpp"', False),
    ("models/files/a.cpp", '  #  include "fitness/a.hpp"', True),
    ("models/files/a.cpp", "#include <ATen/ATen.h>", True),
    ("models/files/a.cpp", '#include "models/tensors/tensor.hpp"', True),
    ("models/tensors/a.cpp", "#include <ATen/ATen.h>", False),
    ("models/tensors/a.hpp", '#include "models/tensors/deep/deep.hpp"', True),
    ("models/tensors/deep/a.hpp", '#include "models/tensors/tensor.hpp"', False),
    ("fitness/a.cpp", '#include "models/files/plain.hpp"', False),
    ("fitness/a.cpp", '#include "models/tensors/tensor.hpp"', True),
    ("fitness/a.cpp", '#include "models/tensors/deep/deep.hpp"', True),
    ("fitness/a.cpp", '#include "apps/a.hpp"', True),
    ("fitness/a.cpp", "#include <c10/core/Device.h>", True),
    ("apps/a.cpp", '#include "search/base/a.hpp"', False),
    ("apps/a.cpp", '#include "tests/support/a.hpp"', True),
    ("tests/search/a.cpp", '#include "tests/support/catch.hpp"', False),
    ("tests/search/a.cpp", '#include "models/files/plain.hpp"', True),
    ("tests/models/files/a.cpp", '#include "ATen/ATen.h"', False),
    ("tests/models/files/a.cpp", '#include "models/tensors/deep/deep.hpp"', False),
    ("tests/fitness/a.cpp", "#include <ATen/ATen.h>", True),
    ("tests/support/a.cpp", '#include "models/files/plain.hpp"', True),
    ("tests/fixtures/a.cpp", '#include "models/files/plain.hpp"', False),
    ("tests/fixtures/a.cpp", '#include "fitness/a.hpp"', True),
    ("tests/fuzz/a.cpp", '#include "apps/a.hpp"', False),
]


def self_test():
    order = Order(SELF_TEST_ORDER)
    for name, line, bad in SELF_TEST:
        with tempfile.TemporaryDirectory() as folder:
            files = {"models/files/plain.hpp": "#include <string>",
                     "models/tensors/tensor.hpp": "#include <ATen/ATen.h>",
                     "models/tensors/deep/deep.hpp": '#include "models/tensors/tensor.hpp"', name: line}
            for path, text in files.items():
                file = pathlib.Path(folder, path)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(f"{text}\n", encoding="utf-8")
            found = violations(read_includes(pathlib.Path(folder), order), order)
            if len(found) != int(bad):
                sys.exit(f"{name} with {line}: expected {int(bad)} violations, found {found}")
    print(f"{len(SELF_TEST)} cases as expected")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    if sys.argv[1] == "--self-test":
        return self_test()
    root = pathlib.Path(sys.argv[1])
    order = Order((root / "tests/include_order.txt").read_text(encoding="utf-8"))
    includes = read_includes(root, order)
    found = violations(includes, order)
    for folder in order.folders:
        if not (root / folder).is_dir():
            found.append(f"tests/include_order.txt: {folder}: there is no such folder")
    count = sum(map(len, includes.values()))
    print("\n".join(found) or f"{count} includes, all in the right direction")
    if found or not count:
        sys.exit(1)


main()
