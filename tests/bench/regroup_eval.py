"""What the benchmarks that time `regroup eval` share."""

import json
import os
import pathlib
import statistics
import subprocess

# Threads that spin while they wait would take the processors from other programs, those compared with among them.
ENVIRONMENT = {"OMP_WAIT_POLICY": "passive", **os.environ}


class Regroup:
    """The program, with what every `eval` of a comparison has in common."""

    def __init__(self, program, model, context, threads, device="cpu"):
        self.program = program
        self.model = model
        self.context = context
        self.options = ["--threads", str(threads), "--device", device]

    def call(self, *arguments):
        """Standard output of a command of the program."""
        command = [self.program, *arguments, "-q"]
        return subprocess.run(command, stdout=subprocess.PIPE, check=True, env=ENVIRONMENT).stdout

    def eval(self, ids_file, dtype, context=None):
        """Loss, number of tokens and seconds from the start of the program's work to its end."""
        result = json.loads(self.call("eval", self.model, "--data", str(ids_file), "--dtype", dtype, "--json",
                                      "--context", str(context or self.context), *self.options))
        return {"loss": result["results"]["perplexity"]["loss,none"],
                "tokens": result["n-samples"]["perplexity"]["effective"],
                "seconds": result["total_evaluation_time_seconds"]}

    def seconds(self, ids_file, one_token, dtype):
        """Of an `eval` without its start-up, which is taken for that of an `eval` of one token: reading the checkpoint
        is almost all of it."""
        start_up = self.eval(one_token, dtype, context=1)["seconds"]
        return self.eval(ids_file, dtype)["seconds"] - start_up


def write_data(folder, ids, tokens):
    """Two files of ids from the numbers' bytes, int32: for `tokens` predictions and for one."""
    files = [pathlib.Path(folder, "ids.npy"), pathlib.Path(folder, "one_token.npy")]
    write_ids(files[0], ids[:4 * (tokens + 1)])
    write_ids(files[1], ids[:4 * 2])
    return files


def write_ids(file, ids):
    """A one-dimensional .npy of int32 from the numbers' bytes (little-endian)."""
    header = f"{{'descr': '<i4', 'fortran_order': False, 'shape': ({len(ids) // 4},), }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    file.write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + ids)


def read_ids(file):
    """The numbers' bytes of what `regroup tokenize` wrote."""
    content = file.read_bytes()
    return content[10 + int.from_bytes(content[8:10], "little"):]


def spread(values, form="{:.2f}"):
    """`median (least to greatest)`."""
    return f"{form.format(statistics.median(values))} ({form.format(min(values))} to {form.format(max(values))})"
