"""Time of `regroup tokenize` beside that of Hugging Face's tokenizers on one thread, in one run, and whether ids agree.

usage: tokenizers_vs_python.py PROGRAM TEXT DIRECTORY...   (directories with a tokenizer.json; needs tokenizers, numpy)

Of the program everything is measured: start, reading the tokenizer's files, encoding, writing the ids. Of the library
encoding alone. Both in seconds of the processor.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"

import numpy
import tokenizers


def program_run(program, directory, text):
    """Ids and seconds."""
    with tempfile.TemporaryDirectory() as scratch:
        file = os.path.join(scratch, "ids.npy")
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            [program, "tokenize", directory, "--data", text, "-o", file], check=True, stdout=subprocess.DEVNULL
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return numpy.load(file), seconds


def library_run(directory, text):
    tokenizer = tokenizers.Tokenizer.from_file(os.path.join(directory, "tokenizer.json"))
    with open(text, encoding="utf8", newline="") as file:
        content = file.read()
    begin = time.process_time()
    ids = tokenizer.encode(content).ids
    return numpy.array(ids, dtype=numpy.int32), time.process_time() - begin


def main():
    program, text, *directories = sys.argv[1:]
    size = os.path.getsize(text) / 1e6
    print(f"{'tokenizer':32} {'MB':>6} {'tokens':>9} {'regroup s':>10} {'library s':>10} {'ratio':>6}  ids")
    differs = False
    for directory in directories:
        ids, seconds = program_run(program, directory, text)
        expected, library_seconds = library_run(directory, text)
        same = numpy.array_equal(ids, expected)
        differs = differs or not same
        name = os.path.basename(os.path.normpath(directory))
        print(
            f"{name:32} {size:6.1f} {len(ids):9} {seconds:10.2f} {library_seconds:10.2f} "
            f"{seconds / library_seconds:6.2f}  {'same' if same else 'DIFFERENT'}"
        )
    sys.exit(1 if differs else 0)


main()
