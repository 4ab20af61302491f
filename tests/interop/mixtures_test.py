#!/usr/bin/env python3
"""Hugging Face transformers computes the mixtures of keys that `regroup train` writes.

    mixtures_test.py PROGRAM

Small GPT-2s and an OPT are trained for some steps, each with another attention. transformers loads the directory with its
code: the same logits within 1e-4 and the same greedy text as the program's. Without its code it does not open it. Prints
a line for each; exit status 1 if one fails.
"""

import json
import pathlib
import sys
import tempfile

from regroup_program import run
from transformers_models import difference, opened, program_logits, quiet_transformers, said

TOLERANCE = 1e-4
VOCABULARY = 4096  # of the tokenizer
TOKENIZER = "examples/demo-llama"
PROMPT = "The house stood at the end of the road, and"
POSITIONS = 48

GPT2 = {"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "vocab_size": VOCABULARY, "n_positions": POSITIONS,
        "n_embd": 32, "n_layer": 2, "n_head": 4, "activation_function": "gelu_new", "bos_token_id": 1, "eos_token_id": 2,
        "initializer_range": 0.2}
OPT = {"architectures": ["OPTForCausalLM"], "model_type": "opt", "vocab_size": VOCABULARY,
       "max_position_embeddings": POSITIONS, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
       "ffn_dim": 64, "word_embed_proj_dim": 32, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0,
       "initializer_range": 0.2}
CASES = [
    (GPT2, {"kind": "mgk"}),
    (GPT2, {"kind": "mgk", "shifted": True, "e_step": "soft", "position": "key"}),
    (GPT2, {"kind": "mgk", "components": 3, "e_step": "hard", "variance": "third"}),
    (GPT2, {"kind": "mlk"}),
    (GPT2, {"kind": "linear"}),
    (OPT, {"kind": "mgk", "e_step": "soft"}),
]


def trained(program, config, attention, scratch):
    import numpy

    folder = pathlib.Path(tempfile.mkdtemp(dir=scratch))
    (folder / "config.json").write_text(json.dumps({**config, "attention": attention}))
    # Ids that follow each other, so that some are far likelier than others.
    ids = (numpy.arange(4000) * 7 + (numpy.arange(4000) // 5) % 11) % (VOCABULARY - 3) + 3
    numpy.save(folder / "ids.npy", ids.astype(numpy.int32))
    run(program, "train", folder / "config.json", "--data", folder / "ids.npy", "-o", folder / "run", "--tokens", "3k",
        "--tokenizer", TOKENIZER,
        "--batch-tokens", "500", "--lr", "0.02", "-q")
    return folder / "run" / "model"


def greedy(program, model, directory):
    """The program's text, by its cache, and that of transformers, which computes all positions anew."""
    import torch

    found = json.loads(run(program, "generate", directory, "--prompt", PROMPT, "--max-tokens", "12", "--json", "-q"))
    prompt = found["prompt_ids"]
    ids = torch.tensor([prompt])
    made = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=12, do_sample=False, pad_token_id=0)
    return found["ids"], made[0, len(prompt):].tolist()


def check(program, config, attention, scratch):
    import torch
    import transformers

    directory = trained(program, config, attention, scratch)
    try:
        transformers.AutoModelForCausalLM.from_pretrained(directory, trust_remote_code=False)
        return "opens without its code"
    except (ValueError, KeyError, ImportError):
        pass
    model = opened(directory, runs_code=True)
    ids = torch.arange(40)[None] * 5 % VOCABULARY
    distance = difference(said(model, {"input_ids": ids})[0].detach(),
                          program_logits(program, directory, {"input_ids": ids.int()}, pathlib.Path(scratch)))
    if distance > TOLERANCE:
        return f"logits differ by {distance}"
    found, wanted = greedy(program, model, directory)
    return None if found == wanted[: len(found)] and found else f"text {found}, not {wanted}"


def main():
    quiet_transformers()
    program = sys.argv[1]
    failed = False
    with tempfile.TemporaryDirectory() as scratch:
        for config, attention in CASES:
            problem = check(program, config, attention, scratch)
            failed = failed or problem is not None
            print(f"{'FAILED' if problem else 'ok'}  {config['model_type']} {json.dumps(attention)} {problem or ''}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
