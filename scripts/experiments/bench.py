"""What the experiments share: trainings that go on where they were broken off, figures of single windows, intervals.

Everything is kept below a work directory: a training that has its train.json is not trained again, a figure that was
measured is not measured again, so that an experiment can be stopped and started at will.
"""

import argparse
import dataclasses
import hashlib
import json
import math
import pathlib
import random
import subprocess
import sys
import time


@dataclasses.dataclass
class Arm:
    """One way to train: its name in the table, and what `regroup` is told beside what all arms are."""
    name: str
    command: list


def arguments(description, seeds=3):
    """The command line of every experiment."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=pathlib.Path, help="build/release/regroup")
    parser.add_argument("--data", type=pathlib.Path, default=pathlib.Path("../shared/data"),
                        help="folder of models and data (default: %(default)s)")
    parser.add_argument("--work", type=pathlib.Path, required=True, help="folder for what is made and measured")
    parser.add_argument("--quick", action="store_true", help="tiny data and models made here, one seed: a minute at most")
    parser.add_argument("--seeds", type=int, default=seeds, help="trainings of an arm at its best rate (default: %(default)s)")
    parser.add_argument("--rates", help="rates to try with the first seed, as 1e-4,3e-4 (default: the experiment's)")
    parser.add_argument("--tokens", help="positions to train on, in place of the experiment's")
    parser.add_argument("--plan", action="store_true", help="say what would be trained, and stop")
    parser.add_argument("--threads", type=int, default=2)
    return parser


class Bench:
    """Runs the program, remembers what it found, and says what is still to do."""

    def __init__(self, options):
        self.options, self.work = options, options.work
        self.work.mkdir(parents=True, exist_ok=True)
        self.todo, self.positions_each = 0, 0
        self.positions, self.seconds = 0, 0.0

    def regroup(self, *command):
        """Standard output of the program; its own message and status where it fails."""
        told = [str(self.options.program), *map(str, command)]
        done = subprocess.run(told, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            sys.exit(f"failed ({done.returncode}): {' '.join(told)}")
        return done.stdout

    def trained(self, name, *command):
        """train.json and the model of one training; trained, or gone on with, where it is not there."""
        folder = self.work / "trainings" / name
        record = folder / "train.json"
        if not record.exists():
            folder.parent.mkdir(parents=True, exist_ok=True)
            again = ["--resume"] if (folder / "state").exists() else []
            started = time.monotonic()
            self.regroup(*command, "-o", folder, "-q", "--threads", self.options.threads, *again)
            self.seconds += time.monotonic() - started
            self.positions += json.loads(record.read_text())["tokens"]
            self.say_what_is_left(name)
        return json.loads(record.read_text()), folder / "model"

    def say_what_is_left(self, name):
        self.todo -= 1
        left = self.todo * self.positions_each * self.seconds / self.positions
        print(f"# {name} trained; about {left / 60:.0f} minutes left for {max(0, self.todo)} trainings", file=sys.stderr)

    def plan(self, trainings, positions):
        """Says how much is to be trained; ends where nothing else was asked for."""
        there = len(list((self.work / "trainings").glob("*/train.json")))
        self.todo = max(0, trainings - there)
        self.positions_each = count_of(positions)
        print(f"# {trainings} trainings of {positions} positions each, {there} of them done; the time left is said after "
              "the first", file=sys.stderr)
        if self.options.plan:
            sys.exit(0)

    def samples(self, model, task, data, *more):
        """By metric, what `eval` finds of each window or document."""
        told = ["eval", model, "--task", task, "--data", data, *more]
        key = hashlib.sha256(json.dumps([str(word) for word in told]).encode()).hexdigest()[:16]
        kept = self.work / "samples" / f"{key}.jsonl"
        kept.parent.mkdir(exist_ok=True)
        if not kept.exists():
            self.regroup(*told, "--samples", kept, "-q", "--threads", self.options.threads)
        lines = [json.loads(line) for line in kept.read_text().splitlines()]
        return {metric: [line[metric] for line in lines] for metric in lines[0] if metric != "doc_id"}


def count_of(text):
    """"200k" or "2M" as a number; of several the largest."""
    factors = {"k": 1000, "M": 1000000}
    return max(int(float(one.rstrip("kM")) * factors.get(one[-1], 1)) for one in str(text).split(" or "))


def rates_of(options, usual):
    return options.rates.split(",") if options.rates else usual


def sweep(bench, arms, rates, seeds, common):
    """Trains every arm at every rate with seed 1, then at the rate with the least validation loss with all seeds.

    Returns {arm: (rate, [model of each seed])}; `common(arm)` is what the program is told of all of them.
    """
    found = {}
    for arm in arms:
        def run(rate, seed):
            return bench.trained(f"{slug(arm.name)}-{rate}-{seed}", *common(arm), *arm.command, "--lr", rate, "--seed", seed)

        losses = {rate: run(rate, 1)[0]["trained"]["loss"] for rate in rates}
        best = min(rates, key=lambda rate: losses[rate])
        found[arm.name] = best, [run(best, seed)[1] for seed in range(1, seeds + 1)]
    return found


def trainings_of(arms, rates, seeds):
    return len(arms) * (len(rates) + seeds - 1)


def slug(name):
    return "".join(letter if letter.isalnum() else "-" for letter in name)


def mean(numbers):
    return sum(numbers) / len(numbers)


def means_over_seeds(runs):
    """Of each window the mean over seeds."""
    return [mean(column) for column in zip(*runs, strict=True)]


def paired(numbers, others, draws=2000, key=1):
    """Mean of the differences and its 95 % interval, by resampling the windows (paired bootstrap)."""
    differences = [a - b for a, b in zip(numbers, others, strict=True)]
    stream = random.Random(key)
    means = sorted(mean(stream.choices(differences, k=len(differences))) for _ in range(draws))
    return mean(differences), means[int(0.025 * draws)], means[int(0.975 * draws) - 1]


def mcnemar(right, others):
    """Two-sided exact p of the images that one of two models alone finds, as McNemar's test has it."""
    only = sum(a > b for a, b in zip(right, others, strict=True))
    other = sum(a < b for a, b in zip(right, others, strict=True))
    total = only + other
    tail = sum(math.comb(total, k) for k in range(min(only, other) + 1)) / 2**total if total else 1
    return only, other, min(1.0, 2 * tail)


def interval_text(difference, digits=4):
    value, low, high = difference
    return f"{value:+.{digits}f} ({low:+.{digits}f} to {high:+.{digits}f})"


def print_table(titles, rows):
    print("| " + " | ".join(titles) + " |\n| " + " | ".join("---" for _ in titles) + " |")
    for row in rows:
        print("| " + " | ".join(map(str, row)) + " |", flush=True)


def write_json(path, value):
    path.write_text(json.dumps(value, indent=1))


def grouping_json(layers):
    """A grouping file of the groups of each layer, keys and values alike."""
    return {"format": "regroup.grouping", "version": 1,
            "layers": [{"index": i, "key_groups": groups, "value_groups": groups} for i, groups in enumerate(layers)]}


def neighbours(heads, groups):
    size = heads // groups
    return [list(range(first, first + size)) for first in range(0, heads, size)]


def alone(heads):
    return [[head] for head in range(heads)]
