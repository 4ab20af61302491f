#!/usr/bin/env python3
"""Prints what the benchmarks measured as a Markdown table, next to what is aimed at.

    table.py PROGRAM [OPTION…]   runs the benchmark program with these options
    table.py FILE.json           reads what --benchmark_out wrote
    table.py FILE.json --strict  ends with 1 if a target is missed

Ratios are of processor time, which other work on the machine disturbs less than the clock. A limit of seconds is for
the clock. Where only the processor time of all threads together keeps it, the table says so: the machine was busy, and
on an idle one a run should take no longer than that. Of several repetitions the fastest counts.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile

YES = "yes"
NO = "**no**"
SECONDS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}


def run_program(command):
    """What the program reports; what it prints goes to the error stream. As in the tests, threads that wait leave the
    processors to others: on a busy machine spinning ones are all that would be measured."""
    environment = {"OMP_WAIT_POLICY": "passive", **os.environ}
    with tempfile.TemporaryDirectory() as folder:
        flag = "--benchmark_out="
        kept = [option.removeprefix(flag) for option in command if option.startswith(flag)]
        out = kept[-1] if kept else os.path.join(folder, "benchmarks.json")
        command = [*command, flag + out, "--benchmark_out_format=json"]
        subprocess.run(command, check=True, stdout=sys.stderr, env=environment)
        with open(out, encoding="utf-8") as file:
            return json.load(file)


def plain_name(name):
    """Without what Google Benchmark adds about its clocks."""
    words = name.split("/")
    return "/".join(w for w in words if w not in ("process_time", "real_time") and not w.startswith("repeats:"))


def fastest(report):
    """By name: wall and processor seconds of one iteration, and the counters."""
    rows = {}
    for row in report["benchmarks"]:
        if row.get("run_type", "iteration") != "iteration":
            continue
        if row.get("error_occurred"):
            raise SystemExit(f"table: {row['name']}: {row.get('error_message')}")
        unit = SECONDS[row["time_unit"]]
        row = dict(row, wall=row["real_time"] * unit, cpu=row["cpu_time"] * unit)
        name = plain_name(row["run_name"])
        if name not in rows or row["cpu"] < rows[name]["cpu"]:
            rows[name] = row
    return rows


def seconds(value):
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= scale:
            return f"{value / scale:.3g} {unit}"
    return f"{value * 1e9:.3g} ns"


def within(row, limit, is_good=True):
    """What the table says of a run that should take less than `limit` seconds."""
    if not is_good or min(row["wall"], row["cpu"]) >= limit:
        return NO
    return YES if row["wall"] < limit else "not by the clock, but by processor time"


def yes_or_no(is_reached):
    return YES if is_reached else NO


class Table:
    """Rows of what was measured, aimed at and reached; a row whose benchmarks did not run is left out."""

    def __init__(self, rows):
        self.rows = rows
        self.lines = []
        self.missed = 0

    def add(self, what, measured, target="", reached=""):
        self.missed += reached == NO
        self.lines.append(f"| {what} | {measured} | {target} | {reached} |")

    def ratio(self, what, ours, theirs, least=None):
        """Processor time of pagmo2's benchmark over that of ours."""
        if ours not in self.rows or theirs not in self.rows:
            return
        a, b = self.rows[ours], self.rows[theirs]
        times = b["cpu"] / a["cpu"]
        measured = f"{float(f'{times:.3g}'):g}× ({seconds(a['cpu'])} against {seconds(b['cpu'])}"
        if "hypervolume" in a:
            measured += f"; hypervolume {a['hypervolume']:.4f} against {b['hypervolume']:.4f}"
        if least is None:
            self.add(what, measured + ")")
        else:
            self.add(what, measured + ")", f"≥ {least}×", yes_or_no(times >= least))

    def front(self, what, name, target="", reached=None):
        """Time of a run and how good its front is; `reached` judges the row."""
        if name not in self.rows:
            return
        row = self.rows[name]
        measured = f"{seconds(row['wall'])} (processor {seconds(row['cpu'])})"
        if "generations" in row:
            measured += f", {row['generations']:.0f} generations, {100 * row['fraction']:.3f} % of the hypervolume"
        elif not row["is_exact"]:
            measured += f", {100 * row['fraction']:.3f} % of the bound's hypervolume"
            measured += f", worst gap {100 * row['worst_gap']:.3f} %"
        self.add(what, measured, target, reached(row) if reached else "")

    def throughput(self, what, name):
        """Candidates in a second of the clock and in one of a processor, for one thread and for two."""
        measured = []
        for threads in ("1 thread", "2 threads"):
            row = self.rows.get(f"{name}/threads:{threads[0]}")
            if row:
                rate = row["items_per_second"] / 1000
                per_processor = rate * row["wall"] / row["cpu"]
                measured.append(f"{threads}: {rate:.3g} thousand/s ({per_processor:.3g} per processor)")
        if measured:
            self.add(what, "; ".join(measured))


def sorting(table):
    for points, words in (("square", "in a square"), ("front", "of one front")):
        for count in (100, 1000, 10000):
            table.ratio(f"non-dominated sort of {count} points {words}, pagmo2 / ours",
                        f"sort_points/{points}/{count}", f"sort_points_pagmo/{points}/{count}",
                        100 if count == 10000 else None)
        name = f"sort_points/{points}/100000"
        if name in table.rows:
            table.add(f"non-dominated sort of 100000 points {words}, ours alone",
                      f"{seconds(table.rows[name]['cpu'])} (processor)")


def generations(table):
    for population in (200, 2000):
        size = f"population:{population}/generations:50"
        table.ratio(f"50 generations, 32 heads, population {population}, pagmo2 / ours", f"generations/{size}",
                    f"generations_pagmo/{size}", 20 if population == 2000 else None)


def qcqa(table):
    for length in (6, 200):
        for threads in (1, 2):
            where = f"12 × 12, vectors of {length}, {threads} thread{'s' * (threads > 1)}"
            name = f"qcqa_front/length:{length}/near:%d/threads:{threads}"
            table.front(f"qcqa, {where}: to 99.9 % of the exact hypervolume", name % 1)
            table.front(f"qcqa, {where}: a default run", name % 0, "≥ 99.9 % of the exact hypervolume",
                        lambda row: yes_or_no(row["fraction"] >= 0.999))


def exact(table):
    for threads in (1, 2):
        words = f"{threads} thread{'s' * (threads > 1)}"
        for length in (200, 2000):
            table.front(f"exact front, 12 layers × 12 heads, vectors of {length}, {words}",
                        f"exact_front/layers:12/heads:12/length:{length}/threads:{threads}", "< 0.1 s",
                        lambda row: within(row, 0.1, row["is_exact"] == 1))
        table.front(f"exact front, 48 layers × 16 heads, {words}",
                    f"exact_front/layers:48/heads:16/length:2000/threads:{threads}", "< 30 s",
                    lambda row: within(row, 30, row["is_exact"] == 1))
    for length in (200, 2000):
        table.front(f"exact method, 32 layers × 32 heads, vectors of {length}, 2 threads",
                    f"exact_front/layers:32/heads:32/length:{length}/threads:2", "gap < 1 %, < 60 s",
                    lambda row: within(row, 60, row["worst_gap"] < 0.01))


def scaling(table):
    for what, name, sizes in (
            ("{} heads, 8 layers, population 200", "scale_heads/heads", (8, 16, 32, 64, 128)),
            ("{} layers, 32 heads, population 200", "scale_layers/layers", (8, 16, 32, 64, 128)),
            ("population {}, 1 layer, 32 heads", "scale_population/population", (100, 1000, 10000, 100000))):
        for size in sizes:
            table.throughput(f"stage 1, candidates, {what.format(size)}", f"{name}:{size}")


def candidates(table):
    for name, words in (("layer", "that differ in the third of 4 layers"), ("models", "that have no layer in common")):
        for tokens in (2048, 8192):
            ours = table.rows.get(f"candidates_{name}/tokens:{tokens}")
            naive = table.rows.get(f"candidates_{name}_naive/tokens:{tokens}")
            if not ours or not naive:
                continue
            rates = [row["items_per_second"] for row in (ours, naive)]
            table.add(f"32 candidates {words}, {tokens} tokens, 2 threads, together / one by one",
                      f"{rates[0] / rates[1]:.3g}× ({rates[0]:.3g} against {rates[1]:.3g} evaluations/s)")


def machine(report):
    context = report["context"]
    load = ", ".join(f"{value:.1f}" for value in context.get("load_avg", []))
    mhz = context.get("mhz_per_cpu", 0)
    return (f"Measured {context['date'][:10]} on {context['num_cpus']} processors ({platform.machine()}, {mhz} MHz), "
            f"load average at the start {load or 'unknown'}; {context.get('compiler', 'compiler unknown')}, "
            f"pagmo2 {context.get('pagmo2', 'not found')}.")


def main(arguments):
    strict = "--strict" in arguments
    arguments = [argument for argument in arguments if argument != "--strict"]
    if not arguments:
        raise SystemExit(__doc__)
    if arguments[0].endswith(".json"):
        with open(arguments[0], encoding="utf-8") as file:
            report = json.load(file)
    else:
        report = run_program(arguments)
    table = Table(fastest(report))
    for part in (sorting, generations, qcqa, exact, scaling, candidates):
        part(table)
    print(machine(report), end="\n\n")
    print("| what | measured | target | reached |\n| --- | --- | --- | --- |")
    print("\n".join(table.lines))
    return 1 if strict and table.missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
