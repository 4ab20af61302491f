#!/usr/bin/env python3
"""Times `regroup uptrain` against a loop in Hugging Face transformers with torch's AdamW: the same checkpoint, windows,
steps and number of threads, float32, on one build of torch. Prints a Markdown table.

    training_vs_transformers.py PROGRAM MODEL --data IDS.npy [--python PYTHON] [--windows 32] [--context 256]
                                [--steps 20] [--threads 2] [--batches 1,4,32]

Every step sees all windows, so that both see the same. The losses of every step must agree (TOLERANCE) before anything
is said of time. What counts is the median time of a step; regroup's stands in its train.csv. transformers takes the
windows of a step in batches of as many as --batches says, adding up gradients, and is given its best.
"""

import argparse
import csv
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

TOLERANCE = 1e-3
RATE = 3e-4


def serve(model_directory, ids_file, windows, context, steps, threads, batches):
    """Runs under --python: prints a line of JSON for each size of batch."""
    import numpy
    import torch
    import transformers

    torch.set_num_threads(threads)
    ids = torch.from_numpy(numpy.load(ids_file).astype(numpy.int64))
    data = ids.unfold(0, context + 1, context)[:windows]
    for batch in batches:
        model = transformers.AutoModelForCausalLM.from_pretrained(model_directory, dtype=torch.float32).train()
        matrices = [p for p in model.parameters() if p.dim() >= 2]
        others = [p for p in model.parameters() if p.dim() < 2]
        optimizer = torch.optim.AdamW([{"params": matrices, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}],
                                      lr=RATE, betas=(0.9, 0.95), eps=1e-8)
        losses, seconds = [], []
        for _ in range(steps):
            started = time.perf_counter()
            total = 0.0
            for part in data.split(batch):
                logits = model(part[:, :-1]).logits
                loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), part[:, 1:].flatten(), reduction="sum")
                loss = loss / (windows * context)
                loss.backward()
                total += loss.item()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
            losses.append(total)
            seconds.append(time.perf_counter() - started)
        print(json.dumps({"batch": batch, "losses": losses, "seconds": seconds}), flush=True)


def regroup_steps(options, scratch):
    import numpy

    ids = numpy.load(options.data)[: options.windows * options.context + 1]
    numpy.save(scratch / "ids.npy", ids)
    tokens = options.windows * options.context
    subprocess.run([options.program, "uptrain", options.model, "--data", scratch / "ids.npy", "-o", scratch / "out", "--loss",
                    "ce", "--tokens", str(tokens * options.steps), "--batch-tokens", str(tokens), "--context",
                    str(options.context), "--lr", str(RATE), "--schedule", "constant", "--warmup", "0", "-j",
                    str(options.threads), "-q"], check=True)
    with open(scratch / "out" / "train.csv") as file:
        rows = list(csv.DictReader(file))
    return [float(row["loss"]) for row in rows], [tokens / float(row["tokens_per_second"]) for row in rows]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("model")
    parser.add_argument("--data", required=True)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--windows", type=int, default=32)
    parser.add_argument("--context", type=int, default=256)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batches", default="1,4,32")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    batches = [int(batch) for batch in options.batches.split(",")]
    if options.serve:
        serve(options.model, options.data, options.windows, options.context, options.steps, options.threads, batches)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        losses, seconds = regroup_steps(options, pathlib.Path(folder))
    served = subprocess.run([options.python, __file__, *sys.argv[1:], "--serve"], check=True, capture_output=True, text=True)
    others = [json.loads(line) for line in served.stdout.splitlines() if line.startswith("{")]
    tokens = options.windows * options.context
    own = statistics.median(seconds)
    for other in others:
        apart = max(abs(a - b) for a, b in zip(losses, other["losses"]))
        if apart > TOLERANCE:
            print(f"losses differ by {apart} in batches of {other['batch']}", file=sys.stderr)
            return 1
    best = min(others, key=lambda other: statistics.median(other["seconds"]))
    theirs = statistics.median(best["seconds"])
    print("| threads | regroup, tokens/s | transformers, tokens/s | its batch | times as fast | losses apart |")
    print("| --- | --- | --- | --- | --- | --- |")
    apart = max(abs(a - b) for a, b in zip(losses, best["losses"]))
    print(f"| {options.threads} | {tokens / own:.0f} | {tokens / theirs:.0f} | {best['batch']} | {theirs / own:.2f} | {apart:.1e} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
