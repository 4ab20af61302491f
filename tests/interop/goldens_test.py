#!/usr/bin/env python3
"""Logits of every golden checkpoint, by transformers as it computes unless told otherwise, and by `regroup logits`.

    goldens_test.py PROGRAM DIRECTORY

DIRECTORY holds checkpoints with a golden.safetensors of inputs each. The stored logits are of the plain implementation of
attention; these are of the usual one. Prints a line for each; exit status 1 if one differs by 1e-4.
"""

import pathlib
import sys
import tempfile

from regroup_program import run

TOLERANCE = 1e-4
INPUTS = ("input_ids", "decoder_input_ids", "pixel_values", "input_features")


def transformers_model(directory):
    import json

    import transformers

    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    name = json.loads((directory / "config.json").read_text())["architectures"][0]
    return getattr(transformers, name).from_pretrained(directory).float().eval()


def difference(program, directory, scratch):
    import torch
    from safetensors.torch import load_file, save_file

    golden = load_file(directory / "golden.safetensors")
    inputs = {name: golden[name] for name in INPUTS if name in golden}
    with torch.no_grad():
        said = transformers_model(directory)(**inputs)
    wanted = said.logits if "logits" in said else said.last_hidden_state
    save_file(inputs, scratch / "in.safetensors")
    run(program, "logits", directory, "--input", scratch / "in.safetensors", "-o", scratch / "out.safetensors", "-q")
    found = load_file(scratch / "out.safetensors")["logits"]
    return (found - wanted.reshape(found.shape)).abs().max().item()


def main():
    program, goldens = sys.argv[1], pathlib.Path(sys.argv[2])
    failed = False
    with tempfile.TemporaryDirectory() as scratch:
        for directory in sorted(path.parent for path in goldens.glob("*/golden.safetensors")):
            if not (directory / "config.json").is_file():
                continue
            found = difference(program, directory, pathlib.Path(scratch))
            failed = failed or not found < TOLERANCE
            print(f"{directory.name:<20} {found:.1e} {'ok' if found < TOLERANCE else 'DIFFERS'}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
