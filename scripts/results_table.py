#!/usr/bin/env python3
"""Measures the table of methods × merges × KV sizes of docs/results.md.

    results_table.py PROGRAM MODEL --calibration STATISTICS.safetensors --eval TEXT --work DIR
                     [--selection TEXT] [--kv 0.75,0.5,0.25] [--rows all|short|few|wide] [--cache-dtype q8_0,q4_0]
                     [--task perplexity] [--threads N]

A row is a search by prices alone (`search --measure 0`) and a merge; every grouping is then measured by `eval`, one
after the other, but once where several searches find the same one. Measured allocations choose on --selection and are
left out without it. With --cache-dtype each model is converted once and has a line for every type of KV cache, the source
too. What was measured is kept below DIR, so that a broken-off table goes on; the table so far is printed.
"""

import argparse
import hashlib
import json
import pathlib
import re
import shutil
import subprocess
import sys

# Name of the search → options; prices may depend on the merge.
SEARCHES = {
    "neighbour": ["--method", "neighbour", "--fitness", "wse"],
    "neighbour, measured": ["--method", "neighbour", "--fitness", "fisher", "--allocation", "measured"],
    "qcqa, wse": ["--method", "qcqa", "--fitness", "wse"],
    "asymgqa, activation": ["--method", "asymgqa", "--fitness", "activation"],
    "kdgqa": ["--method", "kdgqa"],
    "dgqa": ["--method", "dgqa"],
    "exact, wse": ["--method", "exact", "--fitness", "wse"],
    "exact, activation": ["--method", "exact", "--fitness", "activation"],
    "exact, residual": ["--method", "exact", "--fitness", "residual"],
    "exact, fisher": ["--method", "exact", "--fitness", "fisher"],
    "exact, fisher, K and V apart": ["--method", "exact", "--fitness", "fisher", "--partitions", "independent"],
    "exact, fisher, width 2": ["--method", "exact", "--fitness", "fisher", "--width", "2"],
    "exact, fisher, width 4": ["--method", "exact", "--fitness", "fisher", "--width", "4"],
    "exact, fisher, stock widths": ["--method", "exact", "--fitness", "fisher", "--width", "stock"],
    "exact, fisher, widths by layer": ["--method", "exact", "--fitness", "fisher", "--width", "1,2,4"],
    "exact, fisher, free widths": ["--method", "exact", "--fitness", "fisher", "--width", "free"],
    "exact, fisher, measured": ["--method", "exact", "--fitness", "fisher", "--allocation", "measured"],
}
MERGES = {
    "mean": ["--merge", "mean"],
    "weighted": ["--merge", "weighted"],
    "aligned": ["--merge", "aligned"],
    "aligned + renorm": ["--merge", "aligned", "--renorm"],
    "optimal": ["--merge", "optimal"],
    "optimal + output": ["--merge", "optimal", "--refit", "output"],
    "optimal + both": ["--merge", "optimal", "--refit", "both"],
    "mean + both": ["--merge", "mean", "--refit", "both"],
}
SHORT = [("neighbour", "mean"), ("neighbour", "aligned + renorm"), ("neighbour", "optimal + both"),
         ("qcqa, wse", "mean"), ("exact, fisher", "mean"), ("exact, fisher", "optimal"),
         ("exact, fisher", "optimal + output"), ("exact, fisher", "optimal + both")]
# Groups of every width, with both refits.
WIDE = [(search, "optimal + both") for search in
        ("exact, fisher", "exact, fisher, width 2", "exact, fisher, width 4", "exact, fisher, stock widths",
         "exact, fisher, free widths", "exact, fisher, widths by layer")]
# What is read of a task's result.
FIGURES = {"perplexity": "loss,none", "image-classification": "acc,none"}
# What depends on the calibration text most.
FEW = [("neighbour", "optimal + both"), ("exact, fisher", "optimal"), ("exact, fisher", "optimal + both")]
ALL = SHORT + [(s, m) for m in ("mean", "aligned + renorm", "optimal")
               for s in ("neighbour", "qcqa, wse", "asymgqa, activation", "exact, wse", "exact, residual",
                         "exact, fisher")] + [
    ("neighbour", "aligned"), ("neighbour", "weighted"), ("exact, fisher", "aligned"), ("exact, fisher", "weighted"),
    ("kdgqa", "mean"), ("dgqa", "mean"), ("exact, activation", "mean"), ("neighbour, measured", "mean"),
    ("exact, fisher, measured", "optimal"), ("exact, fisher, measured", "optimal + both"),
    ("qcqa, wse", "optimal + both"),
    ("asymgqa, activation", "optimal + both"), ("exact, residual", "optimal + both"),
    ("exact, fisher", "mean + both"), ("exact, fisher, K and V apart", "optimal"),
    ("exact, fisher, K and V apart", "optimal + both")] + WIDE[1:]


def content_key(grouping):
    """The same for files that make the same model: who found the groups and at what price is left out."""
    made = json.loads(grouping.read_text())
    for name in ("kv", "objectives", "provenance"):
        made.pop(name)
    made.get("calibration", {}).pop("file", None)
    return hashlib.sha256(json.dumps(made, sort_keys=True).encode()).hexdigest()


class Runner:
    """Runs the program; remembers below the work folder what was measured."""

    def __init__(self, options):
        self.options = options
        self.kept = pathlib.Path(options.work) / "losses.json"
        self.figures = json.loads(self.kept.read_text()) if self.kept.exists() else {}

    def keep(self, key, figure):
        self.figures[key] = figure
        self.kept.write_text(json.dumps(self.figures, indent=1))

    def regroup(self, *arguments):
        command = [self.options.program, *arguments, "-q", "--json", "--threads", str(self.options.threads)]
        return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    def evaluated(self, model, task, data, *more):
        """What `eval` finds, by the names of its figures."""
        (results,) = self.regroup("eval", str(model), "--task", task, "--data", str(data), *more)["results"].values()
        return results

    def search(self, command, sizes):
        """Searches for the sizes, where groups are too wide for some for the others; False if for all."""
        try:
            self.regroup(*command, "--kv", ",".join(sizes))
        except subprocess.CalledProcessError as failure:
            least = re.search(r"expected: at least ([0-9.]+),", failure.stderr)
            if not least:
                raise
            reached = [kv for kv in sizes if float(kv) >= float(least[1])]
            return bool(reached) and self.search(command, reached)
        return True

    def groupings(self, search, merge):
        """By size asked for: the file of the grouping that the search finds."""
        run = pathlib.Path(self.options.work) / "".join(c if c.isalnum() else "-" for c in f"{search} {merge}")
        if not (run / "run.json").exists():
            selection = ["--selection", self.options.selection] if "measured" in SEARCHES[search] else []
            command = ["search", self.options.model, *SEARCHES[search], *MERGES[merge], "--calibration",
                       self.options.calibration, *selection, "--measure", "0", "--force", "-o", str(run)]
            if not self.search(command, self.options.kv.split(",")):
                return {}
        front = json.loads((run / "front.json").read_text())
        own = [point for point in front["points"] if point["series"] == "search"]
        return {kv: run / max((p for p in own if p["kv_ratio"] <= float(kv) + 1e-9),
                              key=lambda p: p["kv_ratio"])["grouping"] for kv in self.options.kv.split(",")
                if any(p["kv_ratio"] <= float(kv) + 1e-9 for p in own)}


class TableRunner(Runner):
    """Measures by types of cache."""

    def __init__(self, options):
        super().__init__(options)
        self.caches = ["none"] + [cache for cache in options.cache_dtype.split(",") if cache]

    def measured(self, model, key, cache, *made):
        """The figure of the task; what is known already is not measured again."""
        key = key if cache == "none" else f"{key} {cache}"
        if key not in self.figures:
            quantised = [] if cache == "none" else ["--cache-dtype", cache]
            self.keep(key, self.figure(model, *made, *quantised))
        return self.figures[key]

    def figure(self, model, *more):
        """The figure of the task; None where heads have widths that a type of cache cannot hold."""
        task = self.options.task
        try:
            return self.evaluated(model, task, self.options.eval, *more)[FIGURES[task]]
        except subprocess.CalledProcessError as failure:
            if not re.search("not whole blocks|no whole number of the cache's blocks", failure.stderr):
                raise
            return None

    def figures_of(self, grouping=None):
        """By type of cache: of the source, or of the model that a grouping file makes."""
        key, caches = "source" if grouping is None else content_key(grouping), self.caches
        if grouping is None:
            return {cache: self.measured(self.options.model, key, cache) for cache in caches}
        if len(caches) == 1:
            return {caches[0]: self.measured(self.options.model, key, caches[0], "--grouping", str(grouping))}
        made = pathlib.Path(self.options.work) / "converted"
        if any(f"{key} {cache}".removesuffix(" none") not in self.figures for cache in caches):
            self.regroup("convert", self.options.model, "--grouping", str(grouping), "--force", "-o", str(made))
        measured = {cache: self.measured(made, key, cache) for cache in caches}
        shutil.rmtree(made, ignore_errors=True)
        return measured


def added(figure, source):
    return "" if figure is None else f"{figure - source:.4f}"


def table_lines(runner, sizes, rows):
    """The lines of the table, each as soon as it is measured: what is added to the source's figure without a cache's type."""
    source = runner.figures_of()
    yield f"source {source['none']:.4f}"
    quantised = len(runner.caches) > 1
    titles = ["search", "merge"] + (["cache"] if quantised else []) + sizes
    yield "| " + " | ".join(titles) + " |\n" + "| --- " * len(titles) + "|"
    for cache in (cache for cache in runner.caches[1:] if source[cache] is not None):
        yield f"| none | | {cache} | {added(source[cache], source['none'])} for all" + " |" * len(sizes)
    for search, merge in rows:
        files = runner.groupings(search, merge)
        figures = {kv: runner.figures_of(files[kv]) for kv in sizes if kv in files}
        for cache in runner.caches:
            cells = [added(figures[kv][cache], source["none"]) if kv in figures else "" for kv in sizes]
            yield "| " + " | ".join([search, merge] + ([cache] if quantised else []) + cells) + " |"


def print_lines(lines):
    """Prints a table; where the program refuses, its message. Returns the exit status."""
    try:
        for line in lines:
            print(line, flush=True)
    except subprocess.CalledProcessError as failure:
        print(failure.stderr, file=sys.stderr, end="")
        return failure.returncode
    return 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("model")
    for name in ("--calibration", "--eval", "--work"):
        parser.add_argument(name, required=True)
    parser.add_argument("--selection")
    parser.add_argument("--kv", default="0.75,0.5,0.375,0.25,0.125")
    parser.add_argument("--rows", choices=("all", "short", "few", "wide"), default="all")
    parser.add_argument("--cache-dtype", default="")
    parser.add_argument("--task", choices=FIGURES, default="perplexity")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    pathlib.Path(options.work).mkdir(parents=True, exist_ok=True)
    rows = [(search, merge) for search, merge in
            dict.fromkeys({"all": ALL, "short": SHORT, "few": FEW, "wide": WIDE}[options.rows])
            if options.selection or "measured" not in SEARCHES[search]]
    return print_lines(table_lines(TableRunner(options), options.kv.split(","), rows))


if __name__ == "__main__":
    sys.exit(main())
