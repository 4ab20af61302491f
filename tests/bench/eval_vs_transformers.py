#!/usr/bin/env python3
"""Times `regroup eval` against Hugging Face transformers: the same checkpoint, tokens, windows, element type and
number of threads, on one build of torch. Prints a Markdown table.

    eval_vs_transformers.py PROGRAM MODEL --data TEXT [--python PYTHON] [--tokens 20000] [--threads 2] [--repeat 5]
                            [--dtypes float32,bfloat16] [--batches 1,2048]

PYTHON is an interpreter that can import transformers and the torch that PROGRAM was linked with; where transformers lies
in a folder of its own, PYTHONPATH names it.

Both must find the same loss (TOLERANCE) before anything is timed. Then they take turns, and what counts is the median
of the ratios of two times next to each other, because other work on the machine slows both. Neither time has the
start-up in it. Of transformers it is the forward passes and the losses, in a process that is warm; of regroup it is the
time that `eval` reports less that of an `eval` of one token, most of which is reading the checkpoint. transformers
runs the windows in batches of at most as many tokens as --batches says, and regroup is compared with the fastest.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

from regroup_eval import ENVIRONMENT, Regroup, read_ids, spread, write_data

# Nats per token. In bfloat16 both round at every step.
TOLERANCE = {"float32": 1e-4, "bfloat16": 1e-3}


# The worker: runs under --python, holds the models, answers each request by a line of JSON.


def serve(model_directory, ids_file, context, threads):
    """Requests are lines {"dtype", "batch_tokens"}; answers {"loss", "seconds"}."""
    import numpy
    import torch
    import transformers

    torch.set_num_threads(threads)
    ids = torch.from_numpy(numpy.load(ids_file).astype(numpy.int64))
    windows = ids.unfold(0, context + 1, context)
    answer({"torch": torch.__version__, "torch_folder": os.path.dirname(torch.__file__),
            "transformers": transformers.__version__})
    models = {}
    for line in sys.stdin:
        request = json.loads(line)
        dtype = request["dtype"]
        if dtype not in models:
            models[dtype] = transformers.AutoModelForCausalLM.from_pretrained(
                model_directory, dtype=getattr(torch, dtype), local_files_only=True).eval()
        count = max(1, request["batch_tokens"] // context)
        with torch.inference_mode():
            started = time.perf_counter()
            losses = [window_losses(models[dtype], batch) for batch in windows.split(count)]
            loss = torch.cat(losses).mean().item()
            answer({"loss": loss, "seconds": time.perf_counter() - started})


def window_losses(model, windows):
    """Mean loss of every window [windows, context + 1], summed up in double."""
    import torch

    logits = model(windows[:, :-1], use_cache=False).logits.float()
    losses = torch.nn.functional.cross_entropy(logits.flatten(0, 1), windows[:, 1:].flatten(), reduction="none")
    return losses.double().view(len(windows), -1).mean(1)


def answer(what):
    print(json.dumps(what), flush=True)


class Transformers:
    """The worker, seen from here."""

    def __init__(self, options, ids_file, context):
        command = [options.python, __file__, "--worker", options.model, str(ids_file), str(context),
                   str(options.threads)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env={**ENVIRONMENT, "TRANSFORMERS_VERBOSITY": "error",
                                             "OMP_NUM_THREADS": str(options.threads)})
        self.versions = self.read()

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("eval_vs_transformers: the Python with transformers ended; see its message above")
        return json.loads(line)

    def run(self, dtype, batch_tokens):
        self.process.stdin.write(json.dumps({"dtype": dtype, "batch_tokens": batch_tokens}) + "\n")
        self.process.stdin.flush()
        return self.read()

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def require_same_torch(program, torch_folder):
    """The program must be linked with the library that the Python imports."""
    libraries = subprocess.run(["ldd", program], stdout=subprocess.PIPE, text=True, check=True).stdout
    linked = [os.path.realpath(line.split()[2]) for line in libraries.splitlines() if "libtorch_cpu.so" in line]
    if linked != [os.path.realpath(os.path.join(torch_folder, "lib", "libtorch_cpu.so"))]:
        raise SystemExit(f"eval_vs_transformers: {program} is not linked with the torch in {torch_folder}")


def compare(dtype, regroup, transformers, batches, files, repeat):
    """One row of the table."""
    ours = regroup.eval(files[0], dtype)
    theirs = {batch: transformers.run(dtype, batch) for batch in batches}
    worst = max(abs(ours["loss"] - run["loss"]) for run in theirs.values())
    if not worst <= TOLERANCE[dtype]:
        raise SystemExit(f"eval_vs_transformers: losses in {dtype} disagree: regroup {ours['loss']:.6f}, transformers "
                         + ", ".join(f"{run['loss']:.6f}" for run in theirs.values()))
    our_times = []
    their_times = {batch: [] for batch in batches}
    for turn in range(repeat):
        contestants = ["regroup", *batches]
        for who in contestants if turn % 2 == 0 else reversed(contestants):
            if who == "regroup":
                our_times.append(regroup.seconds(*files, dtype))
            else:
                their_times[who].append(transformers.run(dtype, who)["seconds"])
    best = min(batches, key=lambda batch: statistics.median(their_times[batch]))
    rates = [ours["tokens"] / statistics.median(times) for times in (our_times, their_times[best])]
    return (f"| {dtype} | {ours['tokens']} | {rates[0]:.0f} | {rates[1]:.0f} (batches of {best}) "
            f"| {spread([them / us for them, us in zip(their_times[best], our_times)])} "
            f"| {ours['loss']:.6f} | {worst:.1e} |")


def print_head(options, versions, context):
    load = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    print(f"torch {versions['torch']}, transformers {versions['transformers']}, {options.threads} threads, windows of "
          f"{context}, medians of {options.repeat} turns, load average {load}\n")
    print("| dtype | tokens | regroup, tokens/s | transformers, tokens/s | time of transformers / regroup | loss | "
          "losses differ by |\n| --- | --- | --- | --- | --- | --- | --- |")


def main():
    if sys.argv[1:2] == ["--worker"]:
        serve(sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("model")
    parser.add_argument("--data", required=True, help="text")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--tokens", type=int, default=20000)
    parser.add_argument("--context", type=int, default=0, help="window (0: the model's, at most 2048)")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--dtypes", default="float32,bfloat16")
    parser.add_argument("--batches", default="1,2048", help="tokens of transformers' batches; at least a window each")
    options = parser.parse_args()
    config = json.loads(pathlib.Path(options.model, "config.json").read_text())
    context = options.context or min(2048, config["max_position_embeddings"])
    regroup = Regroup(options.program, options.model, context, options.threads)
    with tempfile.TemporaryDirectory() as folder:
        all_ids = pathlib.Path(folder, "all.npy")
        regroup.call("tokenize", options.model, "--data", options.data, "-o", str(all_ids))
        files = write_data(folder, read_ids(all_ids), options.tokens)
        transformers = Transformers(options, files[0], context)
        require_same_torch(options.program, transformers.versions["torch_folder"])
        print_head(options, transformers.versions, context)
        batches = sorted({max(context, int(tokens)) for tokens in options.batches.split(",")})
        for dtype in options.dtypes.split(","):
            print(compare(dtype, regroup, transformers, batches, files, options.repeat), flush=True)
        transformers.close()


if __name__ == "__main__":
    main()
