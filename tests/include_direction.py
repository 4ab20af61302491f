#!/usr/bin/env python3
"""Checks who includes whom: apps -> fitness -> models -> search, and torch in models/ only.

    include_direction.py ROOT         exit 1 and one line for each violation
    include_direction.py --self-test  checks that violations are found

Rules, for every .hpp and .cpp file:
  * a quoted include names a file from the repository root: "search/partition.hpp";
  * a folder includes itself and what lies below it; tests/X includes what X may, tests/support and tests/X;
    tests/support includes search/, tests/fixtures models/ too; tests/bench and tests/fuzz may include every folder;
    "regroup/version.hpp" (generated) is free to all;
  * torch's headers reach models/ and tests/models/ only: other files include neither <torch/...>, <ATen/...>,
    <c10/...> nor, directly or through others, a header that does.
"""

import pathlib
import re
import sys
import tempfile

ORDER = ["search", "models", "fitness", "apps"]
TEST_HELPERS = ["tests/support", "tests/fixtures"]
TORCH = ("torch", "ATen", "c10", "caffe2")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def allowed_folders(path):
    """Folders that the file may include, None for a file under no rule."""
    parts = path.parts
    if parts[0] in ORDER:
        return ORDER[: ORDER.index(parts[0]) + 1]
    if len(parts) < 3:
        return None
    if parts[1] in ORDER:
        return ORDER[: ORDER.index(parts[1]) + 1] + TEST_HELPERS + [f"tests/{parts[1]}"]
    if parts[1] == "support":
        return ["search", "tests/support"]
    if parts[1] == "fixtures":
        return ["search", "models"] + TEST_HELPERS
    return ORDER + TEST_HELPERS + [f"tests/{parts[1]}"]


def may_see_torch(path):
    return path.parts[0] == "models" or path.parts[:2] == ("tests", "models")


def is_torch(target):
    return target.split("/")[0] in TORCH


def read_includes(root):
    """{path from root: [(line number, quote, target), ...]} for every source file."""
    includes = {}
    for top in ORDER + ["tests"]:
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


def violations(includes):
    """One message for each violation."""
    found = []
    tainted = headers_with_torch(includes)
    for path, lines in includes.items():
        allowed = allowed_folders(path)
        if allowed is None:
            continue
        for number, quote, target in lines:
            where = f"{path}:{number}: {target}"
            if is_torch(target):
                if not may_see_torch(path):
                    found.append(f"{where}: torch's headers belong in models/ and tests/models/")
            elif quote == '"' and target != "regroup/version.hpp":
                if not any(target.startswith(folder + "/") for folder in allowed):
                    found.append(f"{where}: may include only {', '.join(allowed)}, named from the repository root")
                elif target in tainted and not may_see_torch(path):
                    found.append(f"{where}: brings in torch's headers, which belong in models/ and tests/models/")
    return found


SELF_TEST = [
    # file, its include, is a violation; models/plain.hpp has no torch, models/tensor.hpp has, models/deep.hpp has it
    # through models/tensor.hpp
    ("search/a.cpp", '#include "search/a.hpp"', False),
    ("search/a.cpp", '#include "a.hpp"', True),
    ("search/a.cpp", '#include "../search/a.hpp"', True),
    ("search/a.cpp", '#include "models/plain.hpp"', True),
    ("search/a.cpp", "#include <torch/torch.h>", True),
    ("search/a.cpp", "#include <vector>", False),
    ("search/a.cpp", '// #include "models/plain.hpp"', False),
    ("search/a.cpp", '#include "regroup/version.hpp"', False),
    ("models/inner/a.cpp", '#include "search/a.hpp"', False),
    ("models/inner/a.cpp", '  #  include "fitness/a.hpp"', True),
    ("models/inner/a.cpp", "#include <ATen/ATen.h>", False),
    ("models/inner/a.hpp", '#include "models/deep.hpp"', False),
    ("fitness/a.cpp", '#include "models/plain.hpp"', False),
    ("fitness/a.cpp", '#include "models/tensor.hpp"', True),
    ("fitness/a.cpp", '#include "models/deep.hpp"', True),
    ("fitness/a.cpp", '#include "apps/a.hpp"', True),
    ("fitness/a.cpp", "#include <c10/core/Device.h>", True),
    ("apps/a.cpp", '#include "search/a.hpp"', False),
    ("apps/a.cpp", '#include "tests/support/a.hpp"', True),
    ("tests/search/a.cpp", '#include "tests/support/catch.hpp"', False),
    ("tests/search/a.cpp", '#include "models/plain.hpp"', True),
    ("tests/models/a.cpp", '#include "ATen/ATen.h"', False),
    ("tests/models/a.cpp", '#include "models/deep.hpp"', False),
    ("tests/fitness/a.cpp", "#include <ATen/ATen.h>", True),
    ("tests/support/a.cpp", '#include "models/plain.hpp"', True),
    ("tests/fixtures/a.cpp", '#include "models/plain.hpp"', False),
    ("tests/fixtures/a.cpp", '#include "fitness/a.hpp"', True),
    ("tests/fuzz/a.cpp", '#include "apps/a.hpp"', False),
]


def self_test():
    for name, line, bad in SELF_TEST:
        with tempfile.TemporaryDirectory() as folder:
            files = {"models/plain.hpp": "#include <string>", "models/tensor.hpp": "#include <ATen/ATen.h>",
                     "models/deep.hpp": '#include "models/tensor.hpp"', name: line}
            for path, text in files.items():
                file = pathlib.Path(folder, path)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(f"{text}\n", encoding="utf-8")
            found = violations(read_includes(pathlib.Path(folder)))
            if len(found) != int(bad):
                sys.exit(f"{name} with {line}: expected {int(bad)} violations, found {found}")
    print(f"{len(SELF_TEST)} cases as expected")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    if sys.argv[1] == "--self-test":
        return self_test()
    includes = read_includes(pathlib.Path(sys.argv[1]))
    found = violations(includes)
    count = sum(map(len, includes.values()))
    print("\n".join(found) or f"{count} includes, all in the right direction")
    if found or not count:
        sys.exit(1)


main()
