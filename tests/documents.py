#!/usr/bin/env python3
"""Checks that documents name what is there.

    documents.py ROOT         exit 1 and one line for each thing that is named and is not there
    documents.py --self-test  checks that such things are found

Rules, for every .md file:
  * a relative link names a file or folder, and its #anchor a heading there;
  * a word in backticks that ends as source files do (`grouping.hpp`) is the end of a file's path; one that starts with a
    folder of the project (`models/merge/`) is a path from the project's root or the document's folder, .hpp, .cpp or .py
    left out or not;
  * in a README.md, the first column of a table headed "file" or "folder" names files (endings left out) and folders of the
    README's own folder.

Words with NAME, FOLDER or FILE in them, or with characters that stand in no path, are passed over. So are code blocks.
"""

import os
import pathlib
import re
import sys
import tempfile

NOT_OURS = {".git", ".venv", "build"}
ENDINGS = (".hpp", ".cpp", ".py")
SOURCE_ENDINGS = ENDINGS + (".sh", ".cmake", ".md")
GENERATED = {"regroup/version.hpp"}
PLACEHOLDER = re.compile(r"NAME|FOLDER|FILE")
LINK = re.compile(r"\]\(([^()\s]+)\)")
WORD = re.compile(r"`([\w.\-/]+)`")


def paths_below(root):
    """All files and folders of the project, from its root."""
    found = set()
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name not in NOT_OURS]
        found |= {pathlib.PurePath(folder, name).relative_to(root).as_posix() for name in folders + files}
    return found


def numbered_lines(text):
    """The lines outside fenced code blocks."""
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            inside = not inside
        elif not inside:
            yield number, line


def anchors(text):
    """What GitHub calls the headings of a document."""
    headings = [line.lstrip("#").strip().lower() for _, line in numbered_lines(text) if line.startswith("#")]
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in headings}


def broken_link(root, document, target):
    if re.match(r"[a-z]+:", target):
        return False
    name, _, anchor = target.partition("#")
    file = (root / document).parent / name if name else root / document
    if not file.exists():
        return True
    return bool(anchor) and (not file.is_file() or anchor not in anchors(file.read_text(encoding="utf-8")))


def is_there(name, paths):
    """Whether a path exists, an ending of source files left out or not."""
    return any(name + ending in paths for ending in ("",) + ENDINGS)


def missing_word(document, word, paths, tops):
    """Whether a word in backticks names something that is not there."""
    if PLACEHOLDER.search(word) or word in GENERATED or word in ENDINGS:
        return False
    name = word.rstrip("/")
    if word.split("/")[0] in tops and "/" in word:
        return not is_there(name, paths) and not is_there((document.parent / name).as_posix(), paths)
    return word.endswith(SOURCE_ENDINGS) and not any(("/" + path).endswith("/" + word) for path in paths)


def map_words(document, lines):
    """Line numbers and words of the first column of the tables that are maps of files."""
    if document.name != "README.md":
        return
    is_map = False
    for number, line in lines:
        cells = [cell.strip() for cell in line.strip().split("|")]
        if len(cells) < 3:
            is_map = False
        elif cells[1] in ("file", "folder"):
            is_map = True
        elif is_map:
            yield from ((number, word) for word in WORD.findall(cells[1]))


def violations(root):
    """One message for each, and the number of names looked at."""
    found, count = [], 0
    paths = paths_below(root)
    tops = {path for path in paths if "/" not in path and (root / path).is_dir()}
    for document in sorted(pathlib.PurePath(path) for path in paths if path.endswith(".md")):
        lines = list(numbered_lines((root / document).read_text(encoding="utf-8")))
        mapped = set(map_words(document, lines))
        for number, word in sorted(mapped):
            count += 1
            if not is_there((document.parent / word.rstrip("/")).as_posix(), paths):
                found.append(f"{document}:{number}: {word}: no such file or folder beside it")
        for number, line in lines:
            links, words = LINK.findall(line), WORD.findall(line)
            count += len(links) + len(words)
            found += [f"{document}:{number}: {link}: leads nowhere" for link in links
                      if broken_link(root, document, link)]
            found += [f"{document}:{number}: {word}: no such file or folder" for word in words
                      if (number, word) not in mapped and missing_word(document, word, paths, tops)]
    return found, count


SELF_TEST = [
    # document, a line of it, violations
    ("docs/a.md", "[b](b.md) [c](../search/README.md) [top](#a-title) [web](https://example.org/x)", 0),
    ("docs/a.md", "[b](none.md)", 1),
    ("docs/a.md", "[b](b.md#second-part-b)", 0),
    ("docs/a.md", "[b](b.md#third)", 1),
    ("docs/a.md", "`search/costs/gram.hpp`, `search/costs/gram`, `search/costs/`, `search/`", 0),
    ("docs/a.md", "`search/costs/none.hpp` and `search/none/`", 2),
    ("docs/a.md", "`costs/gram.hpp`, `gram.hpp` and `.hpp`", 0),
    ("search/README.md", "`search/gram` and `search/costs`", 1),
    ("tests/README.md", "`search/gram_test.cpp`", 0),
    ("docs/a.md", "`costs/none.hpp` and `ram.hpp`", 2),
    ("docs/a.md", "`run.json`, `groupings/x.json`, `NAME_command.hpp`, `search/FOLDER/x.hpp`, `--kv`, `a/b`", 0),
    ("docs/a.md", "```\n`none.hpp`\n```", 0),
    ("search/README.md", "| file | what |\n| --- | --- |\n| `costs/`, `costs/gram` | `x` |", 0),
    ("search/README.md", "| file | what |\n| --- | --- |\n| `gram`, `costs/gram` | `x` |", 1),
    ("search/README.md", "| word | what |\n| --- | --- |\n| `gram` | `x` |", 0),
    ("docs/a.md", "| file | what |\n| --- | --- |\n| `gram` | `x` |", 0),
]


def self_test():
    for name, text, expected in SELF_TEST:
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            files = {"docs/b.md": "## Second part: B", "search/README.md": "", "search/costs/gram.hpp": "",
                     "tests/search/gram_test.cpp": "", "build/none.hpp": "",
                     name: f"# A title\n\n{text}"}
            for path, content in files.items():
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_text(f"{content}\n", encoding="utf-8")
            found, _ = violations(root)
            if len(found) != expected:
                sys.exit(f"{name} with {text!r}: expected {expected} violations, found {found}")
    print(f"{len(SELF_TEST)} cases as expected")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    if sys.argv[1] == "--self-test":
        return self_test()
    found, count = violations(pathlib.Path(sys.argv[1]))
    print("\n".join(found) or f"{count} links and names, all there")
    if found or not count:
        sys.exit(1)


main()
