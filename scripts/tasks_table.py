#!/usr/bin/env python3
"""Measures a language model on tasks: the source, neighbour groups, groups of heads and wide groups.

    tasks_table.py PROGRAM MODEL --calibration STATISTICS.safetensors --text TEXT --tasks DIR --work DIR
                   [--kv 0.5] [--limit 500] [--threads N]

TEXT: its loss is reported. DIR: piqa.jsonl, arc_easy.jsonl, lambada_openai.jsonl; the first --limit documents of each.
Every grouping is converted once and removed when it is measured. What was measured is kept below --work, so that a
broken-off table goes on.
"""

import argparse
import pathlib
import shutil
import sys

import results_table

# Title of a task → how it is measured, its file in DIR, the figure that is read.
TASKS = {
    "PIQA": ("multiple-choice", "piqa.jsonl", "acc,none"),
    "ARC-easy": ("multiple-choice", "arc_easy.jsonl", "acc,none"),
    "LAMBADA": ("last-word", "lambada_openai.jsonl", "acc,none"),
}
ROWS = {
    "neighbour groups, means": ("neighbour", "mean"),
    "groups of heads": ("exact, fisher", "optimal + both"),
    "wide groups, stock": ("exact, fisher, stock widths", "optimal + both"),
    "wide groups, free": ("exact, fisher, free widths", "optimal + both"),
}


class Runner(results_table.Runner):
    def figures_of(self, grouping=None):
        """The loss and the shares of right answers of the source, or of the model that a grouping file makes."""
        key = "source" if grouping is None else results_table.content_key(grouping)
        if key not in self.figures:
            model = pathlib.Path(self.options.model)
            made = pathlib.Path(self.options.work) / "converted"
            if grouping is not None:
                self.regroup("convert", str(model), "--grouping", str(grouping), "--force", "-o", str(made))
                model = made
            self.keep(key, self.measured_on_tasks(model))
            shutil.rmtree(made, ignore_errors=True)
        return self.figures[key]

    def measured_on_tasks(self, model):
        figures = {"loss": self.evaluated(model, "perplexity", self.options.text)["loss,none"]}
        for title, (task, file, figure) in TASKS.items():
            data = pathlib.Path(self.options.tasks) / file
            figures[title] = self.evaluated(model, task, data, "--limit", str(self.options.limit))[figure]
        return figures


def row(title, kv, figures):
    shares = [f"{100 * figures[task]:.1f}" for task in TASKS]
    return "| " + " | ".join([title, kv, f"{figures['loss']:.4f}"] + shares) + " |"


def table_lines(runner):
    yield "| model | KV | loss | " + " | ".join(TASKS) + " |\n" + "| --- " * (3 + len(TASKS)) + "|"
    yield row("source", "1", runner.figures_of())
    for title, (search, merge) in ROWS.items():
        for kv, grouping in runner.groupings(search, merge).items():
            yield row(title, kv, runner.figures_of(grouping))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("model")
    for name in ("--calibration", "--text", "--tasks", "--work"):
        parser.add_argument(name, required=True)
    parser.add_argument("--kv", default="0.5")
    parser.add_argument("--limit", type=int, default=500)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    pathlib.Path(options.work).mkdir(parents=True, exist_ok=True)
    return results_table.print_lines(table_lines(Runner(options)))


if __name__ == "__main__":
    sys.exit(main())
