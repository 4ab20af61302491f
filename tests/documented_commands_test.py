#!/usr/bin/env python3
"""Checks that commands and options of the program that documents name exist.

    documented_commands_test.py ROOT PROGRAM
    documented_commands_test.py --self-test     checks that such names are found

In every .md file, code that says `regroup COMMAND …`, or begins with the name of a command, may use that command's options
alone. Code that begins with an option may use those of any command and those in OF_OTHERS.
"""

import pathlib
import re
import subprocess
import sys

NOT_OURS = {".git", ".venv", "build"}
# Options of cmake and of scripts of ours.
OF_OTHERS = {"--if-at-hand", "--packages", "--plan", "--preset", "--quick", "--rates", "--seeds", "--self-test", "--shape", "--table",
             "--windows"}
SPAN = re.compile(r"`([^`]+)`")
CALL = re.compile(r"(?:^|[\s/])regroup ([a-z]+)(?:\s|$)(.*)")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z0-9-]*")


def help_of(program, *words):
    return subprocess.run([program, *words, "--help"], capture_output=True, text=True, check=True).stdout


def commands_in(text):
    """Names under "Subcommands:" of a help text."""
    section = re.search(r"^subcommands:\n((?:[ \t]+.*\n?)+)", text, re.IGNORECASE | re.MULTILINE)
    return re.findall(r"^ {2}([a-z]+)\b", section.group(1), re.MULTILINE) if section else []


def options_of(program, *words):
    text = help_of(program, *words)
    options = set(OPTION.findall(text))
    for inner in commands_in(text):
        options |= options_of(program, *words, inner)
    return options


def code_of(text):
    """(line number, code) of every code span, and of every line of a code block, continued lines joined."""
    fenced, whole, start = False, "", 0
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif fenced or (line.startswith("    ") and "`" not in line):
            start, whole = (start, whole) if whole else (number, "")
            whole += line.strip().removeprefix("$ ").rstrip("\\")
            if not line.endswith("\\"):
                yield start, whole
                whole = ""
        else:
            yield from ((number, span) for span in SPAN.findall(line))


def unknown_names(code, commands):
    """What a piece of code names that the program does not know."""
    call = CALL.search(code)
    first, _, rest = code.partition(" ")
    if call is None and first in commands:
        call = re.match(r"([a-z]+)(.*)", code)
    if call is not None:
        command, rest = call.groups()
        if command not in commands:
            return [command]
        return sorted(set(OPTION.findall(rest.partition("#")[0])) - commands[command] - {"--help"})
    known = set().union(*commands.values()) | OF_OTHERS | {"--help", "--version"}
    return sorted(set(OPTION.findall(code)) - known) if code.startswith("--") else []


def violations(root, commands):
    found, count = [], 0
    for document in sorted(root.rglob("*.md")):
        if NOT_OURS & set(document.relative_to(root).parts):
            continue
        for number, code in code_of(document.read_text(encoding="utf-8")):
            count += 1
            found += [f"{document.relative_to(root)}:{number}: {name}: the program does not know it, in: {code}"
                      for name in unknown_names(code, commands)]
    return found, count


SELF_TEST = [
    # a document's line, names that are not known
    ("`regroup eval M --data T`", []),
    ("`regroup eval M --date T`", ["--date"]),
    ("`regroup evil M`", ["evil"]),
    ("    $ build/release/regroup eval M --kv 1 --data T", ["--kv"]),
    ("    regroup eval M \\\n      --kv 1", ["--kv"]),
    ("```\nregroup search M --kv 1 --data T\n```", ["--data"]),
    ("`eval --kv`", ["--kv"]),
    ("`--kv 0.5`, `--preset dev`, `--none`", ["--none"]),
    ("    --kv N   --none N", ["--none"]),
    ("* an item\n    that goes on with `--none`", ["--none"]),
    ("regroup evil --none", []),
    ("`cmake --build build`, `regroup COMMAND --help`, `regroup search --help`", []),
]


def self_test():
    commands = {"eval": {"--data"}, "search": {"--kv"}}
    for text, expected in SELF_TEST:
        found = [name for _, code in code_of(text) for name in unknown_names(code, commands)]
        if found != expected:
            sys.exit(f"{text!r}: expected {expected}, found {found}")
    print(f"{len(SELF_TEST)} cases as expected")


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    root, program = pathlib.Path(sys.argv[1]), sys.argv[2]
    commands = {name: options_of(program, name) for name in commands_in(help_of(program))}
    if not commands:
        sys.exit(f"{program} --help lists no commands")
    found, count = violations(root, commands)
    print("\n".join(found) or f"{count} pieces of code, all known")
    if found or not count:
        sys.exit(1)


main()
