"""Safetensors files by NumPy alone, for tests that must not depend on the library."""

import json

import numpy

TYPES = {"F32": numpy.float32, "I64": numpy.int64, "I32": numpy.int32}


def read_tensors(file):
    """{name: array} of a file with the types above."""
    data = file.read_bytes()
    begin = 8 + int.from_bytes(data[:8], "little")
    tensors = {}
    for name, entry in json.loads(data[8:begin]).items():
        if name == "__metadata__":
            continue
        first, last = (begin + offset for offset in entry["data_offsets"])
        tensors[name] = numpy.frombuffer(data[first:last], TYPES[entry["dtype"]]).reshape(entry["shape"])
    return tensors


def write_tensors(file, tensors):
    """Writes arrays of the types above."""
    types = {numpy.dtype(kind): name for name, kind in TYPES.items()}
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for name, tensor in tensors.items():
        header[name] = {"dtype": types[tensor.dtype], "shape": tensor.shape, "data_offsets": [offset, offset + tensor.nbytes]}
        offset += tensor.nbytes
    text = json.dumps(header).encode()
    with open(file, "wb") as out:
        out.write(len(text).to_bytes(8, "little") + text)
        for tensor in tensors.values():
            out.write(tensor.tobytes())
