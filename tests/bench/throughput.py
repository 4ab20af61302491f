#!/usr/bin/env python3
"""Measures how many tokens a second `regroup eval` takes through a model on a device, and what part that is of the rate
at which the device multiplies matrices.

    throughput.py PROGRAM MODEL [--device cuda] [--device-memory SIZE] [--dtype bfloat16] [--context 2048]
                  [--windows 256] [--repeat 3]

To be run by a Python that has torch, which measures the matrix products. MODEL is a Llama of any shape; its tokens are
random. The time is what `eval` reports less that of an `eval` of one token, most of which is reading the checkpoint:
take windows enough that it does not matter. What counts as work is a forward pass's matrix products: those with the
weights, and of attention those that the causal mask leaves.
"""

import argparse
import array
import json
import pathlib
import random
import statistics
import tempfile
import time

from regroup_eval import Regroup, spread, write_data


def work_per_token(config, context):
    """Floating-point operations of a forward pass, averaged over the tokens of a window."""
    width = config["hidden_size"]
    heads = config["num_attention_heads"]
    head_dim = config.get("head_dim") or width // heads
    kv_heads = config.get("num_key_value_heads", heads)
    projections = width * head_dim * (2 * heads + 2 * kv_heads) + 3 * width * config["intermediate_size"]
    attention = 2 * heads * head_dim * (context + 1) / 2
    return 2 * (config["num_hidden_layers"] * (projections + attention) + width * config["vocab_size"])


def product_rate(device, dtype, size):
    """Operations a second of a square matrix product: the mean of ten after three, on random numbers."""
    import torch

    def wait():
        if device.startswith("cuda"):
            torch.cuda.synchronize(device)

    a, b = (torch.randn(size, size, device=device, dtype=getattr(torch, dtype)) for _ in range(2))
    for _ in range(3):
        a @ b
    wait()
    started = time.perf_counter()
    for _ in range(10):
        a @ b
    wait()
    return 10 * 2 * size**3 / (time.perf_counter() - started)


def device_name(device):
    import torch

    return torch.cuda.get_device_name(device) if device.startswith("cuda") else "CPU"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("model")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--device-memory", help="as of regroup: what does not fit streams from host memory")
    parser.add_argument("--dtype", default="bfloat16", choices=("bfloat16", "float32"))
    parser.add_argument("--context", type=int, default=2048)
    parser.add_argument("--windows", type=int, default=256)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1, help="matters on a CPU only")
    parser.add_argument("--product-size", type=int, default=8192, help="rows and columns of the matrices")
    options = parser.parse_args()
    config = json.loads(pathlib.Path(options.model, "config.json").read_text())
    tokens = options.windows * options.context
    draw = random.Random(1)
    ids = array.array("i", (draw.randrange(config["vocab_size"]) for _ in range(tokens + 1))).tobytes()
    regroup = Regroup(options.program, options.model, options.context, options.threads, options.device)
    if options.device_memory:
        regroup.options += ["--device-memory", options.device_memory]
    with tempfile.TemporaryDirectory() as folder:
        files = write_data(folder, ids, tokens)
        rates = [tokens / regroup.seconds(*files, options.dtype) for _ in range(options.repeat)]
    achieved = statistics.median(rates) * work_per_token(config, options.context)
    possible = product_rate(options.device, options.dtype, options.product_size)
    print(f"{device_name(options.device)}, {options.dtype}, {options.windows} windows of {options.context} tokens"
          + (f", at most {options.device_memory} of weights there" if options.device_memory else ""))
    print(f"tokens per second: {spread(rates, '{:.0f}')}")
    print(f"matrix products: {achieved / 1e12:.4g} TFLOP/s of {possible / 1e12:.4g} that a product of "
          f"{options.product_size} x {options.product_size} matrices reaches: {achieved / possible:.1%}")


if __name__ == "__main__":
    main()
