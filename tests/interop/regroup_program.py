"""What the checks against other engines share: the program, and groupings for every layout."""

import json
import os
import subprocess

# Threads that spin while they wait would take the processors from the engine that is compared.
ENVIRONMENT = {"OMP_WAIT_POLICY": "passive", **os.environ}


def run(program, *arguments):
    """Standard output of a command of the program."""
    command = [str(argument) for argument in (program, *arguments, "-q")]
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, env=ENVIRONMENT, text=True).stdout


def neighbours(heads, groups):
    """Heads 0 … heads − 1 in groups of neighbours, the first ones larger where they cannot be equal."""
    parts = [[] for _ in range(groups)]
    for head in range(heads):
        parts[head * groups // heads].append(head)
    return parts


def interleaved(heads, groups):
    """Equal groups of heads that do not stand together."""
    return [list(range(first, heads, groups)) for first in range(groups)]


def uneven(heads, groups):
    """One group of all that the others, of one head, leave over."""
    return [[head] for head in range(groups - 1)] + [list(range(groups - 1, heads))]


def groupings_of(layers, heads):
    """(name, layout, [(key groups, value groups) of every layer]) for each layout."""
    half = max(1, heads // 2)
    equal = [(interleaved(heads, half),) * 2 for _ in range(layers)]
    counts = [(interleaved(heads, 1 if layer % 2 else half),) * 2 for layer in range(layers)]
    sizes = [(uneven(heads, 2 + layer % max(1, heads - 2)),) * 2 for layer in range(layers)]
    alike = [(uneven(heads, half),) * 2 for _ in range(layers)]
    apart = [(uneven(heads, half), neighbours(heads, half)) for _ in range(layers)]
    return [("equal", "standard", equal), ("counts", "per-layer", counts), ("sizes", "pad", sizes),
            ("alike", "pad", alike), ("apart", "expand", apart)]


def write_grouping(path, layers):
    """A grouping JSON with the mean merge."""
    document = {"format": "regroup.grouping", "version": 1, "merge": "mean",
                "layers": [{"index": index, "key_groups": keys, "value_groups": values}
                           for index, (keys, values) in enumerate(layers)]}
    path.write_text(json.dumps(document))
    return path
