#!/usr/bin/env python3
"""Collects what each fuzzer begins with: valid files of its kind, from the project and from shared data where there are any.

    corpus.py ROOT DATA OUT      OUT/NAME/ for every NAME_fuzzer
"""

import hashlib
import json
import pathlib
import shutil
import sys
import zipfile

LARGEST = 1 << 16  # bytes: larger files slow the fuzzer down more than they show it
# Name of a fuzzer → patterns of files below the project, and below the shared data.
PATTERNS = {
    "config": ["**/config.json"],
    "safetensors": ["**/*.safetensors"],
    "weight_index": ["**/*.index.json"],
    "zip": ["**/pytorch_model*.bin"],
    "gguf": ["**/*.gguf"],
    "tokenizer_json": ["**/tokenizer.json"],
    "sentencepiece": ["**/tokenizer.model", "**/*.model"],
    "token_ids": ["**/*.npy", "**/*.bin"],
    "json_lines": ["**/*.jsonl"],
    "image": ["**/*.jpg", "**/*.jpeg", "**/*.JPEG", "**/*.png"],
    "chat_template": ["**/*.jinja"],
    "grouping": ["**/groupings/*.json", "**/*grouping*.json"],
    "pickle": [],
}
# What no file of the project is: the least that is valid.
WRITTEN = {
    "safetensors": [(lambda header: len(header).to_bytes(8, "little") + header + bytes(8))(
        b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}  ')],
    "weight_index": [b'{"metadata": {}, "weight_map": {"a": "model-00001-of-00002.safetensors", "b": "c"}}'],
    "json_lines": [b'{"text": "a"}\n{"source": "b", "target": "c"}\n{"query": "q", "choices": ["x", "y"], "gold": 0}\n'],
    "chat_template": [b"{% for m in messages %}{{ '<|' ~ m.role ~ '|>' + m['content'] | trim }}{% if loop.last %}x{% endif %}"
                      b"{% endfor %}{% set n = namespace(a=1) %}{% macro f(x, y=2) %}{{ x }}{% endmacro %}{{ f(bos_token) }}"],
    "token_ids": [b"\x01\x00\x02\x00",
                  b"\x93NUMPY\x01\x00\x46\x00{'descr': '<i4', 'fortran_order': False, 'shape': (1,), }             \n\x01\x00\x00\x00"],
    "grouping": [b'{"format":"regroup.grouping","version":2,"merge":"optimal","layers":[' + b",".join(
        b'{"index":%d,"key_groups":[[0,1,2,3,4,5,6,7]],"value_groups":[[0,1,2,3,4,5,6,7]],"key_widths":[32],"value_widths":[32]}'
        % i for i in range(4)) + b"]}"],
    "sentencepiece": [b"YQ== 0\nYg== 1\n"],
}


def keep(folder, content):
    (folder / hashlib.sha256(content).hexdigest()[:16]).write_bytes(content)


def pickles_of(archive):
    with zipfile.ZipFile(archive) as file:
        yield from (file.read(name) for name in file.namelist() if name.endswith("data.pkl"))


def main():
    root, data, out = map(pathlib.Path, sys.argv[1:4])
    for name, patterns in PATTERNS.items():
        folder = out / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for content in WRITTEN.get(name, []):
            keep(folder, content)
        for place in (root / "examples", root / "tests", data):
            for pattern in patterns if place.is_dir() else []:
                for file in sorted(place.glob(pattern))[:400]:
                    if file.is_file() and file.stat().st_size <= LARGEST:
                        keep(folder, file.read_bytes())
    for archive in sorted(data.glob("**/pytorch_model*.bin")) if data.is_dir() else []:
        if zipfile.is_zipfile(archive):
            for content in pickles_of(archive):
                keep(out / "pickle", content)
    print(json.dumps({name: len(list((out / name).iterdir())) for name in PATTERNS}))


if __name__ == "__main__":
    main()
