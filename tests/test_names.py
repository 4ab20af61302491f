#!/usr/bin/env python3
"""Checks that ctest can pass on the name of every test case, and that docs/reliability.md names tests that are there.

ctest hands a test's name to its program as an argument and keeps names in CMake lists: a name that begins with a dash is
taken for an option, and one with a bracket swallows the names after it, so that those tests never run.

    test_names.py ROOT
"""
import pathlib
import re
import sys

TEST_CASE = re.compile(r'TEST_CASE\(\s*((?:"(?:[^"\\]|\\.)*"\s*)+)')
FORBIDDEN = set("[];\\")


def names(source: str):
    for match in TEST_CASE.finditer(source):
        yield "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', match.group(1)))


def main() -> int:
    broken = 0
    known = {}
    for path in sorted(pathlib.Path(sys.argv[1], "tests").rglob("*.cpp")):
        program = path.relative_to(pathlib.Path(sys.argv[1], "tests")).parts[0]
        for name in names(path.read_text(encoding="utf-8")):
            reasons = []
            if name.startswith("-"):
                reasons.append("begins with a dash")
            if FORBIDDEN & set(name):
                reasons.append(f"holds one of {' '.join(sorted(FORBIDDEN))}")
            if (program, name) in known:
                reasons.append(f"stands in {known[program, name]} too")
            known[program, name] = path
            for reason in reasons:
                print(f"{path}: test case \"{name}\" {reason}")
                broken += 1
    page = pathlib.Path(sys.argv[1], "docs/reliability.md").read_text(encoding="utf-8")
    for row in re.findall(r"^\|[^|\n]*\|[^|\n]*\|([^|\n]*)\|$", page, re.MULTILINE):
        for name in re.findall(r"`([^`]+)`", row):
            if not any(known_name.startswith(name) for _, known_name in known):
                print(f"docs/reliability.md: there is no test case \"{name}…\"")
                broken += 1
    if not known:
        print("no test cases found")
        return 1
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
