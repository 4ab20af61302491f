#!/usr/bin/env python3
"""Checks schemas/grouping.schema.json against examples that the reader takes and refuses.

usage: schema_test.py REPOSITORY PROGRAM
The groupings that PROGRAM writes for the demo model, imported ones too, must be valid, files without a required field must
not.
"""
import copy
import json
import pathlib
import subprocess
import sys
import tempfile

import jsonschema

repository, program = map(pathlib.Path, sys.argv[1:])
schema = json.loads((repository / "schemas/grouping.schema.json").read_text())
validator = jsonschema.Draft202012Validator(schema)
jsonschema.Draft202012Validator.check_schema(schema)

with tempfile.TemporaryDirectory() as scratch:
    run = pathlib.Path(scratch) / "run"
    subprocess.run([program, "search", repository / "examples/demo-llama", "-o", run, "--measure", "0", "--population",
                    "10", "--generations", "2", "-q"], check=True, stdout=subprocess.DEVNULL)
    groupings = sorted((run / "groupings").glob("*.json"))
    assert len(groupings) > 10
    for file in groupings:
        validator.validate(json.loads(file.read_text()))
    written = json.loads(groupings[0].read_text())
    stated = subprocess.run([program, "--version"], check=True, capture_output=True, text=True).stdout.split()
    assert written["provenance"]["regroup"] == stated[1], "a grouping names another version of the program"
    calibrated = ["--calibration", run / "calibration.safetensors", "--measure", "0", "-q"]
    dealt = pathlib.Path(scratch) / "dealt"
    subprocess.run([program, "search", repository / "examples/demo-llama", "-o", dealt, "--method", "kdgqa",
                    *calibrated], check=True, stdout=subprocess.DEVNULL)
    allocated = [json.loads(file.read_text()) for file in sorted((dealt / "groupings").glob("search-*.json"))]
    assert allocated and all("query_to_group" in layer for document in allocated for layer in document["layers"])
    for document in allocated:
        validator.validate(document)

    wide = pathlib.Path(scratch) / "wide"
    subprocess.run([program, "search", repository / "examples/demo-llama", "-o", wide, "--width", "2", "--kv", "0.5",
                    *calibrated], check=True, stdout=subprocess.DEVNULL)
    widened = [json.loads(file.read_text()) for file in sorted((wide / "groupings").glob("search-*.json"))]
    assert widened and all(document["version"] == 2 and "key_widths" in document["layers"][0] for document in widened)
    for document in widened:
        validator.validate(document)

    table, imported = pathlib.Path(scratch) / "table.csv", pathlib.Path(scratch) / "imported.json"
    subprocess.run([program, "grouping", "export", groupings[0], "--format", "csv", "-o", table], check=True,
                   stdout=subprocess.DEVNULL)
    for more in ([], ["--merge", "first", "--model", repository / "examples/demo-llama"]):
        subprocess.run([program, "grouping", "import", table, "--format", "csv", "-o", imported, *more], check=True,
                       stdout=subprocess.DEVNULL)
        validator.validate(json.loads(imported.read_text()))

by_hand = {"format": "regroup.grouping", "version": 1, "layers": [{"index": 0, "key_groups": [[0, 1]]}]}
validator.validate(by_hand)


def must_refuse(document, what):
    assert not validator.is_valid(document), f"the schema takes {what}"


for field in ("format", "version", "layers"):
    broken = copy.deepcopy(written)
    del broken[field]
    must_refuse(broken, f"a file without {field}")
for groups in ([], [[]], [[0, 0]], [0, 1], [[-1]], [[0.5]], None):
    broken = copy.deepcopy(by_hand)
    broken["layers"][0]["key_groups"] = groups
    must_refuse(broken, f"key_groups {groups}")
for allocation in ([], [[0]], [-1], [0.5], "0 1"):
    broken = copy.deepcopy(by_hand)
    broken["layers"][0]["query_to_group"] = allocation
    must_refuse(broken, f"query_to_group {allocation}")
for widths in ([], [0], [64.5], "64"):
    broken = copy.deepcopy(by_hand)
    broken["version"], broken["layers"][0]["key_widths"] = 2, widths
    must_refuse(broken, f"key_widths {widths}")
print(f"{len(groupings) + len(allocated) + len(widened) + 2} written files valid, 19 broken ones refused")
