"""Models in Hugging Face transformers beside `regroup logits`, for the tests that compare both."""

import json
import os
import pathlib

from regroup_program import run

os.environ["HF_HUB_OFFLINE"] = "1"


def quiet_transformers():
    """transformers without warnings, progress bars and gradients."""
    import torch
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    torch.set_grad_enabled(False)
    return transformers


def architecture_of(directory):
    return json.loads((pathlib.Path(directory) / "config.json").read_text())["architectures"][0]


def opened(directory, runs_code=False, attention=None):
    """The model in float32, of the class that its config names; with `runs_code` of that which it brings along."""
    import torch
    import transformers

    name = "AutoModelForCausalLM" if runs_code else architecture_of(directory)
    return getattr(transformers, name).from_pretrained(directory, dtype=torch.float32, attn_implementation=attention,
                                                       trust_remote_code=runs_code).eval()


def said(model, inputs):
    """What a model says of its inputs: logits, else its last hidden states."""
    output = model(**inputs)
    for name in ("logits", "prediction_logits"):
        if name in output:
            return output[name]
    return output.last_hidden_state


def program_logits(program, directory, inputs, scratch, *options):
    """What `regroup logits` says of these inputs."""
    from safetensors.torch import load_file, save_file

    given, made = scratch / "in.safetensors", scratch / "out.safetensors"
    save_file(inputs, given)
    run(program, "logits", directory, "--input", given, "-o", made, "-q", *options)
    return load_file(made)["logits"]


def difference(found, wanted):
    """The largest of two tensors of as many numbers."""
    return (found - wanted.reshape(found.shape)).abs().max().item()
