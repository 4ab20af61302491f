#!/usr/bin/env python3
"""Puts converted GGUF files before unmodified llama.cpp: does it load them, cut text, compute and allocate as regroup says?

    llama_cpp_test.py PROGRAM MODEL TEXT [--goldens DIR] [--tokens 8192]

PROGRAM is the built regroup, MODEL a Llama with a SentencePiece tokenizer and as many KV heads as query heads, eight at
least, TEXT a text to measure on. With --goldens the tiny models and tokenizers of the shared data are compared, too.
REGROUP_LLAMA_CPP names the folder of llama.cpp's libraries.

Numbers are compared without flash attention, whose kernel on the CPU rounds to float16, and with a cache of float32. The cache
is measured with it: without it llama.cpp pads the values of every layer to those of the widest.
"""

import argparse
import json
import math
import pathlib
import re
import shutil
import sys
import tempfile
import unicodedata

import numpy

from llama_cpp_model import F16, F32, FLASH_OFF, FLASH_ON, Q4_0, Q8_0, LlamaCppModel
from regroup_program import (calibrated, groupings_of, ids, kv_heads, refusal, run, ungrouped, wide_groupings_of,
                             write_grouping, write_wide_grouping)
from safetensors_file import read_tensors
from tiny_llama import write_tiny_llama

WINDOW = 256
# Of perplexities, relative; the narrower types round weights and activations.
TOLERANCE = {"float32": 1e-4, "float16": 1e-3, "bfloat16": 5e-3, "q8_0": 2e-2}
# Of logits of the tiny models, relative to the largest.
LOGITS = 1e-5
# Of perplexities with quantised caches, relative.
CACHE_TYPES = 2e-3
CACHE_TOKENS = 8192
MIB = 1 << 20
PROMPT, NEW_TOKENS = "The house stood at the end of the road, and", 24


def layouts(layers, heads):
    """{layout: layers of a grouping that it is the first to hold}."""
    return {layout: grouping for name, layout, grouping in groupings_of(layers, heads) if name != "alike"}


class Scene:
    """A folder for what is made, the program, and a table of what was found."""

    def __init__(self, program, folder):
        self.program, self.folder = program, pathlib.Path(folder)

    def convert(self, model, layers, *options):
        """The GGUF file of a grouping, and the grouping's file."""
        grouping = write_grouping(self.folder / "grouping.json", layers)
        file = self.folder / "model.gguf"
        run(self.program, "convert", model, "--grouping", grouping, "--format", "gguf", "-o", file, "--force", "-q", *options)
        return file, grouping


def config_of(model):
    return json.loads((pathlib.Path(model) / "config.json").read_text())


def head_dim_of(config):
    return config.get("head_dim", config["hidden_size"] // config["num_attention_heads"])


def check_model(scene, model, text, tokens):
    """Loss, tokenization and cache of every layout and element type."""
    config = config_of(model)
    head_dim = head_dim_of(config)
    data = ids(scene.program, model, text)
    measured = data[:tokens + 1]
    ids_file = scene.folder / "ids.npy"
    numpy.save(ids_file, numpy.asarray(measured, numpy.int32))
    print(f"{'layout':10} {'dtype':9} {'llama.cpp':>10} {'regroup':>10} {'difference':>11} {'cache MiB':>10}")
    for layout, layers in layouts(config["num_hidden_layers"], config["num_key_value_heads"]).items():
        for dtype in TOLERANCE if layout in ("standard", "per-layer") else ("float32",):
            file, grouping = scene.convert(model, layers, "--layout", layout, "--dtype", dtype)
            result = json.loads(run(scene.program, "eval", model, "--grouping", grouping, "--data", ids_file,
                                    "--context", WINDOW, "--json", "-q"))
            expected = result["results"]["perplexity"]["perplexity,none"]
            loaded = LlamaCppModel(file)
            loaded.open_context(WINDOW)
            found = math.exp(loaded.loss(measured, WINDOW))
            if dtype == "float32":
                written = pathlib.Path(text).read_text(encoding="utf-8")
                assert loaded.tokens(written) == data, "llama.cpp cuts the text otherwise"
                check_greedy(scene, model, grouping, loaded)
            cache_type, element = (F32, 4) if dtype == "float32" else (F16, 2)
            cache = sum(loaded.cache_mib(CACHE_TOKENS, cache_type))
            loaded.close()
            print(f"{layout:10} {dtype:9} {found:10.4f} {expected:10.4f} {found / expected - 1:+11.2e} {cache:10.2f}")
            assert abs(found / expected - 1) < TOLERANCE[dtype]
            stored = 2 * config["num_key_value_heads"] * len(layers) if layout == "expand" else kv_heads(layers)
            inspected = json.loads(run(scene.program, "inspect", file, "--context", CACHE_TOKENS, "--json"))["kv_cache"]["bytes"]
            assert inspected == stored * head_dim * element * CACHE_TOKENS
            assert abs(cache - inspected / MIB) < 0.01
    print(f"{len(data)} tokens of {pathlib.Path(text).name} are the same in llama.cpp")


def check_greedy(scene, model, grouping, loaded):
    """The same text by `generate`."""
    written = json.loads(run(scene.program, "generate", model, "--grouping", grouping, "--prompt", PROMPT,
                             "--max-tokens", NEW_TOKENS, "--ignore-eos", "--json"))
    assert loaded.greedy(written["prompt_ids"], NEW_TOKENS) == written["ids"], "llama.cpp writes another text"


def check_wide(scene, model, text, tokens):
    """Wide groups: the same loss and text, and a cache of the grouping's bytes."""
    config = config_of(model)
    count, heads, head_dim = config["num_hidden_layers"], config["num_key_value_heads"], head_dim_of(config)
    calibration = calibrated(scene.program, model, text, scene.folder / "calibration.safetensors")
    measured = ids(scene.program, model, text)[:tokens + 1]
    ids_file = scene.folder / "ids.npy"
    numpy.save(ids_file, numpy.asarray(measured, numpy.int32))
    for name, layout, layers in wide_groupings_of(count, heads, head_dim):
        if layout == "free":
            continue
        grouping = write_wide_grouping(scene.folder / "wide.json", layers, head_dim, calibration)
        file = scene.folder / "wide.gguf"
        made = json.loads(run(scene.program, "convert", model, "--grouping", grouping, "--format", "gguf", "--layout", layout,
                              "--dtype", "float32", "-o", file, "--force", "--json"))
        result = json.loads(run(scene.program, "eval", model, "--grouping", grouping, "--data", ids_file,
                                "--context", WINDOW, "--json", "-q"))
        expected = result["results"]["perplexity"]["perplexity,none"]
        loaded = LlamaCppModel(file)
        loaded.open_context(WINDOW)
        found = math.exp(loaded.loss(measured, WINDOW))
        check_greedy(scene, model, grouping, loaded)
        cache = sum(loaded.cache_mib(CACHE_TOKENS, F16))
        loaded.close()
        print(f"wide {name:10} {layout:10} {found:10.4f} {expected:10.4f} {found / expected - 1:+11.2e} {cache:10.2f}")
        assert abs(found / expected - 1) < TOLERANCE["float32"]
        # convert counts in the source's type, of two bytes as that of the cache.
        assert abs(cache - made["kv_bytes_per_token"] * CACHE_TOKENS / MIB) < 0.01


def check_padded_cache(scene, model):
    """Without flash attention llama.cpp holds the values of every layer as wide as the widest."""
    config = config_of(model)
    layers = layouts(config["num_hidden_layers"], config["num_key_value_heads"])["per-layer"]
    file, _ = scene.convert(model, layers)
    loaded = LlamaCppModel(file)
    keys, values = loaded.cache_mib(CACHE_TOKENS)
    padded = loaded.cache_mib(CACHE_TOKENS, F16, FLASH_OFF)
    loaded.close()
    print(f"per-layer cache, MiB: {keys:.2f} + {values:.2f} with flash attention, {padded[0]:.2f} + {padded[1]:.2f} without")
    assert keys == values == padded[0] < padded[1]


def check_cache_types(scene, model, text, tokens):
    """Perplexity with keys and values in each type that `eval --cache-dtype` knows, as llama.cpp's -ctk and -ctv."""
    config = config_of(model)
    measured = ids(scene.program, model, text)[:tokens + 1]
    ids_file = scene.folder / "ids.npy"
    numpy.save(ids_file, numpy.asarray(measured, numpy.int32))
    standard = layouts(config["num_hidden_layers"], config["num_key_value_heads"])["standard"]
    for name, layers in (("source", plain_layers(config)), ("standard", standard)):
        file, grouping = scene.convert(model, layers, "--layout", "standard", "--dtype", "float32")
        loaded = LlamaCppModel(file)
        for cache, ggml_type in (("f16", F16), ("q8_0", Q8_0), ("q4_0", Q4_0)):
            result = json.loads(run(scene.program, "eval", model, "--grouping", grouping, "--data", ids_file,
                                    "--context", WINDOW, "--cache-dtype", cache, "--json", "-q"))
            expected = result["results"]["perplexity"]["perplexity,none"]
            loaded.open_context(WINDOW, ggml_type, FLASH_ON)
            found = math.exp(loaded.loss(measured, WINDOW))
            print(f"{name:10} cache {cache:6} {found:10.4f} {expected:10.4f} {found / expected - 1:+11.2e}")
            assert abs(found / expected - 1) < CACHE_TYPES
        loaded.close()


def plain_layers(config):
    return ungrouped(config["num_hidden_layers"], config["num_key_value_heads"])


def check_golden(scene, golden):
    """Logits of a tiny model against those that transformers wrote, and against regroup's for every layout."""
    config = config_of(golden)
    wanted = read_tensors(golden / "golden.safetensors")
    published = json.loads((golden / "grouped.json").read_text())
    merged = list(zip(published["key_groups"], published["value_groups"]))
    cases = [("source", plain_layers(config), None, wanted["logits"]), ("grouped", merged, "expand", wanted["grouped_logits"])]
    output = scene.folder / "logits.safetensors"
    for layout, layers in layouts(config["num_hidden_layers"], config["num_key_value_heads"]).items():
        grouping = write_grouping(scene.folder / "wanted.json", layers)
        run(scene.program, "logits", golden, "--grouping", grouping, "--input", golden / "golden.safetensors", "-o", output, "-q")
        cases.append((layout, layers, layout, read_tensors(output)["logits"]))
    for name, layers, layout, expected in cases:
        options = ["--layout", layout] if layout else []
        file, _ = scene.convert(golden, layers, "--no-tokenizer", *options)
        loaded = LlamaCppModel(file)
        loaded.open_context(WINDOW)
        found = numpy.stack([loaded.logits(sequence) for sequence in wanted["input_ids"]])
        error = numpy.abs(found - expected).max() / numpy.abs(expected).max()
        architecture = re.search(r"arch\s+= (\w+)", loaded.log)[1]
        print(f"{golden.name:12} {name:10} {architecture:8} largest difference {error:.1e} of the largest logit")
        assert error < LOGITS
        loaded.close()


def check_window(scene, golden):
    """A model with a sliding window: refused, and written for contexts within it."""
    window = config_of(golden)["sliding_window"]
    grouping = write_grouping(scene.folder / "window.json", plain_layers(config_of(golden)))
    assert "sliding window" in refusal(scene.program, "convert", golden, "--grouping", grouping, "--format", "gguf",
                                       "-o", scene.folder / "window.gguf", "--no-tokenizer")
    file, _ = scene.convert(golden, plain_layers(config_of(golden)), "--no-tokenizer", "--context", window)
    wanted = read_tensors(golden / "golden.safetensors")
    loaded = LlamaCppModel(file)
    loaded.open_context(WINDOW)
    found = numpy.stack([loaded.logits(sequence[:window]) for sequence in wanted["input_ids"]])
    loaded.close()
    expected = wanted["logits"][:, :window]
    error = numpy.abs(found - expected).max() / numpy.abs(expected).max()
    print(f"{golden.name:12} within its window of {loaded.trained_context}: largest difference {error:.1e} of the largest logit")
    assert loaded.trained_context == window and error < LOGITS


def composed(text):
    """Whether a text is in the normal form to which tokenizers bring it and llama.cpp does not."""
    return unicodedata.normalize("NFC", text) == text


def check_tokenizer(scene, golden):
    """Ids of the golden cases."""
    kind = golden.name
    model = write_tiny_llama(scene.folder / f"tokenizer-{kind}", 4200)
    for file in golden.iterdir():
        shutil.copy(file, model)
    file, _ = scene.convert(model, plain_layers(config_of(model)))
    loaded = LlamaCppModel(file)
    cases = [case for case in json.loads((golden / "cases.json").read_text()) if composed(case["text"])]
    pieces = kind.startswith("sentencepiece")
    wrong = [case["text"] for case in cases
             if loaded.tokens(case["text"], not pieces, not pieces) != case["ids_no_special" if pieces else "ids"]]
    loaded.close()
    print(f"tokenizer {kind}: {len(cases) - len(wrong)} of {len(cases)} texts have the same tokens in llama.cpp")
    return wrong


def check_goldens(scene, goldens):
    for name in ("llama-mha", "llama-bias", "llama-rope3", "qwen2", "qwen3"):
        check_golden(scene, goldens / name)
    check_window(scene, goldens / "mistral")
    for kind in ("gpt2", "qwen2", "llama3", "sentencepiece-bpe", "sentencepiece-unigram"):
        wrong = check_tokenizer(scene, goldens / "tokenizers" / kind)
        assert not wrong, wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("text", type=pathlib.Path)
    parser.add_argument("--goldens", type=pathlib.Path)
    parser.add_argument("--tokens", type=int, default=8192, help="tokens to measure on, whole windows of 256")
    arguments = parser.parse_args()
    sys.stdout.reconfigure(line_buffering=True)
    with tempfile.TemporaryDirectory() as folder:
        scene = Scene(arguments.program.resolve(), folder)
        check_model(scene, arguments.model, arguments.text, arguments.tokens // WINDOW * WINDOW)
        check_padded_cache(scene, arguments.model)
        check_wide(scene, arguments.model, arguments.text, min(arguments.tokens, 2048))
        if head_dim_of(config_of(arguments.model)) % 32 == 0:
            check_cache_types(scene, arguments.model, arguments.text, arguments.tokens // WINDOW * WINDOW)
        if arguments.goldens:
            check_goldens(scene, arguments.goldens)


if __name__ == "__main__":
    main()
