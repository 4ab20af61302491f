"""The built program and its files, for the tests that put converted models before other programs."""

import json
import os
import subprocess

# Threads that wait busily take time from those that work.
ENVIRONMENT = {**os.environ, "OMP_WAIT_POLICY": "passive"}


def run(program, *arguments):
    """What the program prints; its own message where it fails."""
    done = subprocess.run([str(program), *map(str, arguments)], capture_output=True, text=True, env=ENVIRONMENT)
    if done.returncode != 0:
        raise RuntimeError(f"regroup {' '.join(map(str, arguments))}: exit code {done.returncode}\n{done.stderr}")
    return done.stdout


def refusal(program, *arguments):
    """The message with which the program refuses its input (exit code 2)."""
    done = subprocess.run([str(program), *map(str, arguments)], capture_output=True, text=True, env=ENVIRONMENT)
    assert done.returncode == 2, f"exit code {done.returncode}: {done.stderr}"
    return done.stderr


def ids(program, model, text):
    """Token ids of a text file, with what the tokenizer adds."""
    return json.loads(run(program, "tokenize", model, "--data", text, "--json", "-q"))["ids"]


def write_grouping(file, layers):
    """A grouping JSON; `layers` are pairs of key and value groups, lists of lists of heads."""
    entries = [{"index": index, "key_groups": keys, "value_groups": values}
               for index, (keys, values) in enumerate(layers)]
    file.write_text(json.dumps({"format": "regroup.grouping", "version": 1, "layers": entries, "merge": "mean"}))
    return file


def calibrated(program, model, text, file, tokens=4096):
    """Statistics of a text, for merges that need them."""
    run(program, "calibrate", model, "--data", text, "--tokens", tokens, "--without-gradients", "-o", file, "-q")
    return file


def write_wide_grouping(file, layers, head_dim, calibration):
    """A grouping JSON with widths; `layers` are groups of keys and values alike, key width, value width in numbers."""
    entries = []
    for index, (groups, keys, values) in enumerate(layers):
        entry = {"index": index, "key_groups": groups}
        if (keys, values) != (head_dim, head_dim):
            entry |= {"key_widths": [keys] * len(groups), "value_widths": [values] * len(groups)}
        entries.append(entry)
    file.write_text(json.dumps({"format": "regroup.grouping", "version": 2, "layers": entries, "merge": "optimal",
                                "calibration": {"file": str(calibration)}}))
    return file


def wide_groupings_of(layers, heads, d):
    """(name, layout, [(groups, key width, value width) of every layer]) of groups that are wider than a head."""
    one, two = neighbours(heads, 1), neighbours(heads, 2)
    twice = [(one, 2 * d, 2 * d)] * layers
    counts = [(two if layer % 2 else one, 2 * d, 2 * d) for layer in range(layers)]
    unlike = [(one, 2 * d, 4 * d) if layer % 2 else (two, d, 2 * d) for layer in range(layers)]
    free = [(one, 2 * d + 2 * layer + 2, 3 * d - 2 * layer) for layer in range(layers)]
    return [("twice", "standard", twice), ("counts", "per-layer", counts), ("padded", "per-layer", unlike),
            ("widths", "free", unlike), ("frequencies", "free", free)]


def kv_heads(layers):
    """Key plus value heads that a grouping stores."""
    return sum(len(keys) + len(values) for keys, values in layers)


def shared(partitions):
    """Layers whose keys and values share their partition."""
    return [(partition, partition) for partition in partitions]


def ungrouped(layers, heads):
    """Every head alone."""
    return shared([[[head] for head in range(heads)]] * layers)


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
