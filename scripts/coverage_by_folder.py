#!/usr/bin/env python3
"""Prints line coverage per folder from gcovr's CSV.

    coverage_by_folder.py LINES.csv

A folder's lines are those of its own files, without its subfolders; a top folder and the last row sum up.
"""

import collections
import csv
import pathlib
import sys


def main():
    lines = collections.Counter()
    covered = collections.Counter()
    with open(sys.argv[1], encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            folder = pathlib.PurePath(row["filename"]).parent
            for name in {folder.as_posix(), folder.parts[0] + " (all)", "total"}:
                lines[name] += int(row["line_total"])
                covered[name] += int(row["line_covered"])
    print("| folder | lines | run by tests |\n| --- | ---: | ---: |")
    for name in sorted(lines, key=lambda name: (name == "total", name)):
        if lines[name]:
            print(f"| {name} | {lines[name]} | {100 * covered[name] / lines[name]:.1f} % |")


if __name__ == "__main__":
    sys.exit(main())
