#!/usr/bin/env python3
"""The keys of config.json that the program knows are those of transformers' classes, with their defaults.

    families_test.py PROGRAM

Every field of a family's config class must be known: read, required to be neutral, or ignored. A key that is read must
have the class's default. A new release of transformers that adds a field shows up here. Prints a line for each family;
exit status 1 if one fails.
"""

import dataclasses
import json
import os
import sys

from regroup_program import run

os.environ["HF_HUB_OFFLINE"] = "1"
# What the program takes from elsewhere where config.json leaves it out: nested settings, and numbers that classes
# derive from others.
DERIVED = {"rope_parameters", "attn_config", "attention_types", "layer_types"}


def class_fields(config_class):
    """Defaults of all fields that are the class's own."""
    import transformers

    fields = {}
    for base in reversed(config_class.__mro__):
        for name, field in base.__dict__.get("__dataclass_fields__", {}).items():
            default = field.default
            if default is dataclasses.MISSING and field.default_factory is not dataclasses.MISSING:
                default = field.default_factory()
            fields[name] = default
    common = set(transformers.PretrainedConfig.__dataclass_fields__) - {"tie_word_embeddings", "bos_token_id",
                                                                       "eos_token_id"}
    return {name: default for name, default in fields.items() if name not in common}


def check(family):
    """Messages on what is wrong; empty if nothing is."""
    import transformers

    config_class = getattr(transformers, family["config_class"])
    keys = family["config_keys"]
    known = set(keys["read"]) | set(keys["neutral"]) | set(keys["ignored"])
    problems = []
    if config_class.model_type != family["model_type"]:
        problems.append(f"model type {family['model_type']}, of the class {config_class.model_type}")
    for name, default in class_fields(config_class).items():
        if name not in known:
            problems.append(f"{name} is not known")
        elif name in keys["read"] and name not in DERIVED and keys["read"][name] != default:
            problems.append(f"{name} is {keys['read'][name]} by default, of the class {default}")
    for name in (family["architecture"], family["base_architecture"]):
        if name and not hasattr(transformers, name):
            problems.append(f"{name} is no class")
    return problems


def main():
    program = sys.argv[1]
    failed = False
    for family in json.loads(run(program, "families", "--json"))["families"]:
        problems = check(family)
        failed = failed or bool(problems)
        print(f"{family['config_class']:<22} {'; '.join(problems) or 'ok'}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
