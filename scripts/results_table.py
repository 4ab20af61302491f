#!/usr/bin/env python3
"""Measures the table of methods × merges × KV sizes of docs/results.md.

    results_table.py PROGRAM MODEL --calibration STATISTICS.safetensors --eval TEXT --work DIR
                     [--selection TEXT] [--kv 0.75,0.5,0.25] [--rows all|short|few|wide] [--threads N]

A row is a search by prices alone (`search --measure 0`) and a merge; every grouping is then measured by `eval`, one
after the other, but once where several searches find the same one. Measured allocations choose on --selection and are
left out without it. What was measured is kept below DIR, so that a broken-off table goes on; the table so far is printed.
"""

import argparse
import hashlib
import json
import pathlib
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
         "exact, fisher, widths by layer", "exact, fisher, free widths")]
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
    def __init__(self, options):
        self.options = options
        self.kept = pathlib.Path(options.work) / "losses.json"
        self.losses = json.loads(self.kept.read_text()) if self.kept.exists() else {}

    def regroup(self, *arguments):
        command = [self.options.program, *arguments, "-q", "--json", "--threads", str(self.options.threads)]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
        return json.loads(done.stdout)

    def groupings(self, search, merge):
        """By size asked for: the file of the grouping that the search finds."""
        run = pathlib.Path(self.options.work) / "".join(c if c.isalnum() else "-" for c in f"{search} {merge}")
        if not (run / "run.json").exists():
            selection = ["--selection", self.options.selection] if "measured" in SEARCHES[search] else []
            self.regroup("search", self.options.model, *SEARCHES[search], *MERGES[merge], "--kv", self.options.kv,
                         "--calibration", self.options.calibration, *selection, "--measure", "0", "--force",
                         "-o", str(run))
        front = json.loads((run / "front.json").read_text())
        own = [point for point in front["points"] if point["series"] == "search"]
        return {kv: run / max((p for p in own if p["kv_ratio"] <= float(kv) + 1e-9),
                              key=lambda p: p["kv_ratio"])["grouping"] for kv in self.options.kv.split(",")
                if any(p["kv_ratio"] <= float(kv) + 1e-9 for p in own)}

    def loss(self, grouping=None):
        """Of the source, or of the model that a grouping file makes."""
        key = "source" if grouping is None else content_key(grouping)
        if key not in self.losses:
            made = [] if grouping is None else ["--grouping", str(grouping)]
            result = self.regroup("eval", self.options.model, "--data", self.options.eval, *made)
            self.losses[key] = result["results"]["perplexity"]["loss,none"]
            self.kept.write_text(json.dumps(self.losses, indent=1))
        return self.losses[key]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("model")
    for name in ("--calibration", "--eval", "--work"):
        parser.add_argument(name, required=True)
    parser.add_argument("--selection")
    parser.add_argument("--kv", default="0.75,0.5,0.375,0.25,0.125")
    parser.add_argument("--rows", choices=("all", "short", "few", "wide"), default="all")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    pathlib.Path(options.work).mkdir(parents=True, exist_ok=True)
    runner = Runner(options)
    source = runner.loss()
    sizes = options.kv.split(",")
    print(f"source {source:.4f}\n| search | merge | " + " | ".join(sizes) + " |\n" + "| --- " * (len(sizes) + 2) + "|")
    for search, merge in dict.fromkeys({"all": ALL, "short": SHORT, "few": FEW, "wide": WIDE}[options.rows]):
        if "measured" in SEARCHES[search] and not options.selection:
            continue
        files = runner.groupings(search, merge)
        cells = [f"{runner.loss(files[kv]) - source:.4f}" if kv in files else "" for kv in sizes]
        print(f"| {search} | {merge} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
