#!/usr/bin/env python3
"""Every golden checkpoint in transformers, which computes as it does unless told otherwise: the source, and converted.

    goldens_test.py PROGRAM DIRECTORY [--brief]

DIRECTORY holds checkpoints with a golden.safetensors of inputs and a grouped.json of groups each. The source has the
logits of `regroup logits`. Converted, layout expand has the logits that golden.safetensors holds of merged heads, and
of one checkpoint of each family that names KV heads the layouts standard, per-layer and pad have those of `regroup
logits --grouping`. The stored logits are of the plain implementation of attention, and compared with it. Prints a line
for each; exit status 1 if one differs by 1e-4.

--brief: of each family one of these three layouts, in turn.
"""

import argparse
import json
import os
import pathlib
import sys
import tempfile

from regroup_program import groupings_of, refusal, run, write_grouping
from transformers_models import architecture_of, difference, opened, program_logits, quiet_transformers, said

TOLERANCE = 1e-4
INPUTS = ("input_ids", "decoder_input_ids", "pixel_values", "input_features")
LAYOUTS = ("standard", "per-layer", "pad")
# A norm over all heads would count the zeros that fill groups up; the golden Falcon is of the kind that stores as many
# KV heads as query heads.
REFUSED = {"Olmo2ForCausalLM": ["pad"], "OlmoeForCausalLM": ["pad"], "FalconForCausalLM": LAYOUTS}


class Comparison:
    """The program, a folder for what is made, and how many comparisons went wrong."""

    def __init__(self, program, scratch):
        self.program, self.scratch, self.failures, self.made = program, pathlib.Path(scratch), 0, 0

    def say(self, directory, what, found):
        is_right = found < TOLERANCE
        self.failures += not is_right
        print(f"{directory.name:<20}{what:<10} {found:.1e} {'ok' if is_right else 'DIFFERS'}", flush=True)

    def converted(self, directory, grouping, layout):
        """A folder of its own each, for transformers keeps code by the folder's name."""
        self.made += 1
        folder = self.scratch / f"converted-{self.made}"
        run(self.program, "convert", directory, "--grouping", grouping, "--layout", layout, "-o", folder, "-q")
        return folder

    def check(self, directory, layouts):
        from safetensors.torch import load_file

        golden = load_file(directory / "golden.safetensors")
        inputs = {name: golden[name] for name in INPUTS if name in golden}
        found = program_logits(self.program, directory, inputs, self.scratch)
        self.say(directory, "source", difference(found, said(opened(directory), inputs)))

        groups = json.loads((directory / "grouped.json").read_text())
        layers = list(zip(groups["key_groups"], groups["value_groups"]))
        folder = self.converted(directory, write_grouping(self.scratch / "grouping.json", layers), "expand")
        wanted = golden["grouped_logits" if "grouped_logits" in golden else "grouped_hidden"]
        self.say(directory, "expand", difference(said(opened(folder, attention="eager"), inputs), wanted))
        for layout in layouts:
            self.check_layout(directory, layout, inputs, len(layers), groups["kv_heads"])

    def check_layout(self, directory, layout, inputs, layers, heads):
        chosen = next(grouping for _, first, grouping in groupings_of(layers, heads) if first == layout)
        grouping = write_grouping(self.scratch / "grouping.json", chosen)
        if layout in REFUSED.get(architecture_of(directory), []):
            message = refusal(self.program, "convert", directory, "--grouping", grouping, "--layout", layout,
                              "-o", self.scratch / "no")
            assert f"layout {layout} cannot hold this grouping" in message, message
            return
        folder = self.converted(directory, grouping, layout)
        wanted = program_logits(self.program, directory, inputs, self.scratch, "--grouping", grouping)
        self.say(directory, layout, difference(said(opened(folder, runs_code=layout != "standard"), inputs), wanted))


def layouts_by_family(program, is_brief):
    """Layouts to convert to, of every family that stores fewer KV heads than query heads."""
    families = [family["architecture"] for family in json.loads(run(program, "families", "--json"))["families"]
                if family["stores_fewer_kv_heads"]]
    return {family: [LAYOUTS[index % len(LAYOUTS)]] if is_brief else LAYOUTS for index, family in enumerate(families)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("goldens", type=pathlib.Path)
    parser.add_argument("--brief", action="store_true")
    arguments = parser.parse_args()
    quiet_transformers()
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["HF_MODULES_CACHE"] = f"{scratch}/modules"
        comparison = Comparison(arguments.program, scratch)
        layouts = layouts_by_family(arguments.program, arguments.brief)
        for directory in sorted(path.parent for path in arguments.goldens.glob("*/grouped.json")):
            comparison.check(directory, layouts.pop(architecture_of(directory), []))
    sys.exit(1 if comparison.failures else 0)


if __name__ == "__main__":
    main()
