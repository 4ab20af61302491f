#!/usr/bin/env python3
"""GGUF files that llama.cpp quantizes: `regroup logits` reads what llama.cpp and the Python package gguf read.

    llama_cpp_quantized_test.py PROGRAM [MODEL]

MODEL is a Llama, by default a random one whose rows are whole blocks of 256. Its GGUF file, as `convert` writes it, is
quantized to every type below. Logits must equal those of the numbers that gguf makes of the blocks, and llama.cpp's own,
whose kernels round activations to 8 bits. REGROUP_LLAMA_CPP names the folder of llama.cpp's libraries.
"""

import json
import pathlib
import shutil
import sys
import tempfile

import gguf
import numpy

from llama_cpp_model import FILE_TYPES, LlamaCppModel, quantize
from regroup_program import run, ungrouped, write_grouping
from safetensors_file import read_tensors, write_tensors
from tiny_llama import write_tiny_llama

SAME_NUMBERS, OWN_KERNELS = 1e-5, 0.1
TOKENS = 64


def written_gguf(program, model, folder):
    shape = json.loads(run(program, "inspect", model, "--json"))
    grouping = write_grouping(folder / "grouping.json", ungrouped(shape["layers"], shape["kv_heads"]))
    file = folder / "plain.gguf"
    run(program, "convert", model, "--grouping", grouping, "--format", "gguf", "--dtype", "float32", "--no-tokenizer",
        "-o", file, "-q")
    return file, shape["vocabulary"]


def dequantized(file, plain, folder):
    """A copy of the file of floats with the numbers that gguf makes of the blocks, and the types of these."""
    copy = folder / "dequantized.gguf"
    shutil.copy(plain, copy)
    floats = {tensor.name: tensor.data for tensor in gguf.GGUFReader(copy, "r+").tensors}
    blocks = gguf.GGUFReader(file).tensors
    for tensor in blocks:
        floats[tensor.name][:] = gguf.dequantize(tensor.data, tensor.tensor_type)
    return copy, sorted({tensor.tensor_type.name for tensor in blocks})


def program_logits(program, model, ids, folder):
    write_tensors(folder / "in.safetensors", {"input_ids": ids})
    run(program, "logits", model, "--input", folder / "in.safetensors", "-o", folder / "out.safetensors", "-q")
    return read_tensors(folder / "out.safetensors")["logits"]


def llama_cpp_logits(file, ids):
    loaded = LlamaCppModel(file)
    loaded.open_context(ids.shape[1])
    logits = [loaded.logits(row) for row in ids]
    loaded.close()
    return numpy.stack(logits)


def difference(found, wanted):
    """Root mean square of the difference, relative to that of the logits."""
    return numpy.linalg.norm(found - wanted) / numpy.linalg.norm(wanted)


def main():
    program = sys.argv[1]
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        model = sys.argv[2] if len(sys.argv) > 2 else write_tiny_llama(folder / "tiny", 512, 256, 512, 2, 8)
        plain, vocabulary = written_gguf(program, model, folder)
        ids = (numpy.arange(2 * TOKENS).reshape(2, TOKENS) * 37 + 11) % vocabulary
        for file_type in FILE_TYPES:
            file = folder / f"{file_type}.gguf"
            quantize(plain, file, file_type)
            floats, types = dequantized(file, plain, folder)
            found = program_logits(program, file, ids, folder)
            same = difference(found, program_logits(program, floats, ids, folder))
            own = difference(found, llama_cpp_logits(file, ids))
            print(f"{file_type:7} difference to gguf's numbers {same:.1e}, to llama.cpp {own:.1e} ({', '.join(types)})")
            assert same < SAME_NUMBERS and own < OWN_KERNELS


if __name__ == "__main__":
    main()
