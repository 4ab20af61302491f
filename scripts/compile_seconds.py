#!/usr/bin/env python3
"""Where the processor time of a cold build goes.

    COMPILE_SECONDS=LOG cmake … -DCMAKE_CXX_COMPILER_LAUNCHER=$PWD/scripts/compile_seconds.py && ninja …
    compile_seconds.py --table LOG

As the compiler's launcher it takes ccache's place, so that everything is compiled, and adds a line "seconds object" of
user and system time to the file LOG. The table sums by library and by what was compiled.
"""

import collections
import os
import re
import sys


def compile_and_log(command):
    pid = os.spawnvp(os.P_NOWAIT, command[0], command)
    _, status, usage = os.wait4(pid, 0)
    made = command[command.index("-o") + 1] if "-o" in command else "?"
    with open(os.environ.get("COMPILE_SECONDS", "compile_seconds.log"), "a", encoding="utf-8") as log:
        log.write(f"{usage.ru_utime + usage.ru_stime:.2f} {made}\n")
    return os.waitstatus_to_exitcode(status)


def print_table(path):
    seconds = collections.Counter()
    count = collections.Counter()
    for line in open(path, encoding="utf-8"):
        value, made = line.split(maxsplit=1)
        library = re.search(r"CMakeFiles/(\w+)\.dir", made)
        kind = "precompiled header" if made.strip().endswith(".gch") else "objects"
        for name in ((library[1] if library else "other") + ", " + kind, "total"):
            seconds[name] += float(value)
            count[name] += 1
    print("| what | number | processor-seconds |\n| --- | ---: | ---: |")
    for name in sorted(seconds, key=lambda name: (name == "total", name)):
        print(f"| {name} | {count[name]} | {seconds[name]:.0f} |")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--table"]:
        sys.exit(print_table(sys.argv[2]))
    sys.exit(compile_and_log(sys.argv[1:]))
