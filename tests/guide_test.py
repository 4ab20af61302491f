#!/usr/bin/env python3
"""Runs every command of the guide, page after page in one folder, on the demo model.

    guide_test.py ROOT PROGRAM     exit 1 with the page, the command and what it said where one fails, or a message that
                                   is explained and that no source says
    guide_test.py --self-test      checks that a page's commands are found, and a failing one

The commands are the blocks that begin with ```sh. Texts are written by the model itself.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MESSAGE = re.compile(r"^\| `([^`]+)` \|", re.MULTILINE)
PAGE = re.compile(r"^\d+\. \[[^\]]+\]\(([\w-]+\.md)\)", re.MULTILINE)
CODE = ["search", "models", "fitness", "runs", "apps", "packaging"]
TEXTS = {"calibration.txt": range(1, 13), "report.txt": range(13, 18)}  # seeds of what the model writes


def commands_of(page):
    """The commands of a page; lines that end in a backslash go on."""
    joined = [line for block in BLOCK.findall(page) for line in block.replace("\\\n", " ").splitlines()]
    return [line.strip() for line in joined if line.strip()]


def pages_of(guide):
    """The pages in the order of the guide's contents."""
    names = PAGE.findall((guide / "README.md").read_text(encoding="utf-8"))
    missing = {page.name for page in guide.glob("*.md")} - {"README.md", *names}
    if missing:
        sys.exit(f"{guide}/README.md does not list {', '.join(sorted(missing))}")
    return [guide / name for name in names]


def unknown_messages(page, sources):
    """Messages that a page explains and no source says."""
    said = re.sub(r'"\s*"', "", sources)
    return [message for message in MESSAGE.findall(page) if message not in said]


def run(command, folder, environment):
    done = subprocess.run(["bash", "-ec", command], cwd=folder, env=environment, capture_output=True, text=True)
    return None if done.returncode == 0 else f"{command}\n{done.stderr.strip()}"


def write_texts(folder, environment):
    for name, seeds in TEXTS.items():
        written = [subprocess.run(["regroup", "generate", "demo-llama", "--prompt", "The", "--max-tokens", "250",
                                   "--temperature", "1", "--seed", str(seed), "-q"], cwd=folder, env=environment,
                                  capture_output=True, text=True, check=True).stdout for seed in seeds]
        (folder / name).write_text("\n".join(written), encoding="utf-8")


def self_test():
    page = "text\n```sh\nregroup a \\\n  -b\n\nregroup c\n```\n```text\nregroup not\n```\n"
    found = commands_of(page)
    if found != ["regroup a    -b", "regroup c"]:
        sys.exit(f"commands of a page: {found}")
    explained = "| message |\n| `it is gone` | do |\n| `it is split here` | do |\n"
    if unknown_messages(explained, 'what = "it is split "\n  "here"') != ["it is gone"]:
        sys.exit("a message that nothing says is not found")
    if run("true", "/", os.environ) is not None or "false" not in run("false", "/", os.environ):
        sys.exit("a failing command is not told from another one")
    print("3 cases as expected")


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    root = pathlib.Path(sys.argv[1])
    sources = "".join(path.read_text(encoding="utf-8") for folder in CODE for path in (root / folder).rglob("*")
                      if path.suffix in (".cpp", ".hpp", ".in"))
    for page in pages_of(root / "docs/guide"):
        if unknown := unknown_messages(page.read_text(encoding="utf-8"), sources):
            sys.exit(f"{page.name}: the program does not say: {'; '.join(unknown)}")
    program = pathlib.Path(sys.argv[2]).resolve()
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        shutil.copytree(root / "examples/demo-llama", folder / "demo-llama")
        (folder / "bin").mkdir()
        (folder / "bin/regroup").symlink_to(program)
        environment = {**os.environ, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}"}
        write_texts(folder, environment)
        count = 0
        for page in pages_of(root / "docs/guide"):
            for command in commands_of(page.read_text(encoding="utf-8")):
                if failed := run(command, folder, environment):
                    sys.exit(f"{page.name}: {failed}")
                count += 1
    print(f"{count} commands of the guide ran")
    return 0


if __name__ == "__main__":
    sys.exit(main())
