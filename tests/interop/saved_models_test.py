#!/usr/bin/env python3
"""Tiny models as transformers saves them, in forms that trouble readers: the program and transformers say the same.

    saved_models_test.py PROGRAM

* tied: a config that ties the head to the token table, and another head stored: both are kept, converted too
* pretraining: BertForPreTraining, read as a masked model
* classifiers of texts, converted too
* headless: encoders of words and images without a head, by their hidden states
* T5: its token table under any of its names; T5Tokenizer's end mark and sentinels
* own code: a source with `auto_map` and files beside it, converted

Prints a line for each comparison; exit status 1 if one fails.
"""

import json
import os
import pathlib
import sys
import tempfile

from regroup_program import groupings_of, ids, refusal, run, ungrouped, write_grouping
from tiny_models import COMMON, HEADS, WIDTH, WITH_MLP, rewrite, saved, some_ids, some_images
from transformers_models import difference, opened, program_logits, quiet_transformers, said

TOLERANCE = 1e-4
METHODS = pathlib.Path(__file__).resolve().parents[2] / "docs" / "METHODS.md"
LAYERS = COMMON["num_hidden_layers"]
IMAGE = {"hidden_size": WIDTH, "num_hidden_layers": 2, "num_attention_heads": HEADS, "image_size": 28, "patch_size": 7}
T5 = {"vocab_size": COMMON["vocab_size"], "d_model": WIDTH, "d_kv": 4, "d_ff": 56, "num_layers": 2, "num_heads": HEADS,
      "relative_attention_num_buckets": 8, "relative_attention_max_distance": 16, "decoder_start_token_id": 0}
TEXTS = ["The price of <extra_id_0> is <extra_id_1>.", "<extra_id_2>", "a group </s> of heads", "", "  two  blanks ",
         "<extra_id_99> x<extra_id_0><extra_id_1> y", "line\nbreak <pad>"]
HOUSE_CONFIG = """from transformers import LlamaConfig


class HouseConfig(LlamaConfig):
    pass
"""
HOUSE_PARTS = "FACTOR = 2.0\n"
HOUSE = """from transformers import LlamaForCausalLM

from .configuration_house import HouseConfig
from .parts_house import FACTOR


class HouseForCausalLM(LlamaForCausalLM):
    config_class = HouseConfig

    def forward(self, *arguments, **keywords):
        output = super().forward(*arguments, **keywords)
        output.logits = FACTOR * output.logits
        return output
"""


class Comparison:
    """The program, a folder for what is made, and how many comparisons went wrong."""

    def __init__(self, program, scratch):
        self.program, self.scratch, self.failures = program, pathlib.Path(scratch), 0

    def say(self, what, is_right, detail):
        self.failures += not is_right
        print(f"{'ok' if is_right else 'FAILED':7}{what:50}{detail}", flush=True)

    def same(self, what, found, wanted):
        differs = difference(found, wanted)
        self.say(what, differs < TOLERANCE, f"differ by {differs:.1e}")

    def source(self, what, folder, inputs, wanted=None):
        """The program's logits of a source are those that transformers makes of it, or others that are given."""
        wanted = said(opened(folder), inputs) if wanted is None else wanted
        self.same(what, program_logits(self.program, folder, inputs, self.scratch), wanted)

    def converted(self, folder, layout, grouping):
        target = self.scratch / f"{folder.name}-{layout}"
        run(self.program, "convert", folder, "--grouping", grouping, "--layout", layout, "-o", target, "-q")
        return target

    def layouts(self, folder, inputs):
        """(layout, converted folder, logits of the grouping) of every layout."""
        for layout, layers in {layout: layers for _, layout, layers in groupings_of(LAYERS, HEADS)}.items():
            grouping = write_grouping(self.scratch / "grouping.json", layers)
            wanted = program_logits(self.program, folder, inputs, self.scratch, "--grouping", grouping)
            yield layout, self.converted(folder, layout, grouping), wanted


def check_tied(comparison):
    """A head that differs from the table it is said to be tied to."""
    folder = saved(comparison.scratch / "tied", "LlamaForCausalLM", **WITH_MLP, tie_word_embeddings=True)
    table = "model.embed_tokens.weight"
    rewrite(folder, lambda tensors: tensors | {"lm_head.weight": tensors[table].roll(1, 0) * 1.5})
    inputs = {"input_ids": some_ids()}
    model = opened(folder)
    assert not model.lm_head.weight.equal(model.model.embed_tokens.weight)
    wanted = said(model, inputs)
    comparison.source("tied, source", folder, inputs, wanted)
    whole = write_grouping(comparison.scratch / "whole.json", ungrouped(LAYERS, HEADS))
    plain = comparison.converted(folder, "standard", whole).rename(comparison.scratch / "tied-plain")
    comparison.same("tied, converted without groups", said(opened(plain), inputs), wanted)
    for layout, target, grouped in comparison.layouts(folder, inputs):
        comparison.same(f"tied, {layout}", said(opened(target, runs_code=True), inputs), grouped)


def check_encoders(comparison):
    """With the heads of pretraining, and without a head."""
    inputs = {"input_ids": some_ids()}
    distil = {"vocab_size": COMMON["vocab_size"], "dim": WIDTH, "hidden_dim": 56, "n_layers": 2, "n_heads": HEADS,
              "max_position_embeddings": 64}
    for name, settings in {"BertForPreTraining": WITH_MLP, "BertModel": WITH_MLP, "RobertaModel": WITH_MLP,
                           "DistilBertModel": distil}.items():
        comparison.source(name, saved(comparison.scratch / name, name, **settings), inputs)


def check_classifiers(comparison):
    """Of texts, sources and converted."""
    inputs = {"input_ids": some_ids()}
    distil = {"vocab_size": COMMON["vocab_size"], "dim": WIDTH, "hidden_dim": 56, "n_layers": 2, "n_heads": HEADS,
              "max_position_embeddings": 64}
    for name, settings in {"BertForSequenceClassification": WITH_MLP, "RobertaForSequenceClassification": WITH_MLP,
                           "DistilBertForSequenceClassification": distil}.items():
        folder = saved(comparison.scratch / name, name, num_labels=3, **settings)
        comparison.source(name, folder, inputs)
        grouping = write_grouping(comparison.scratch / "grouping.json", groupings_of(LAYERS, HEADS)[0][2])
        wanted = program_logits(comparison.program, folder, inputs, comparison.scratch, "--grouping", grouping)
        target = comparison.converted(folder, "expand", grouping)
        comparison.same(f"{name}, expand", said(opened(target), inputs), wanted)


def check_images(comparison):
    """Without a head: what a head would be given. Of ViT the class's state, of DINOv2 also the patches' mean."""
    import torch

    inputs = {"pixel_values": some_images(IMAGE["image_size"])}
    for name, settings in {"ViTModel": {"intermediate_size": 56}, "Dinov2Model": {"mlp_ratio": 2}}.items():
        folder = saved(comparison.scratch / name, name, **IMAGE, **settings)
        states = said(opened(folder), inputs)
        wanted = states[:, 0]
        if name == "Dinov2Model":
            wanted = torch.cat([wanted, states[:, 1:].mean(1)], 1)
        comparison.source(name, folder, inputs, wanted)


def check_t5(comparison):
    """One table stored under each of its names."""
    shared, encoder, decoder = "shared.weight", "encoder.embed_tokens.weight", "decoder.embed_tokens.weight"
    head = "lm_head.weight"
    inputs = {"input_ids": some_ids(), "decoder_input_ids": some_ids(9)}
    wanted = None
    for names in ([shared], [encoder], [decoder], [encoder, decoder], [encoder, head], [head]):
        label = ", ".join(name.removesuffix(".weight") for name in names)
        folder = saved(comparison.scratch / f"t5-{label}", "T5ForConditionalGeneration", **T5)
        rewrite(folder, lambda tensors: {name: tensor for name, tensor in tensors.items() if name != shared}
                | {name: tensors[shared] for name in names})
        found = said(opened(folder), inputs)
        wanted = found if wanted is None else wanted
        assert difference(found, wanted) < TOLERANCE, "transformers finds another table"
        comparison.source(f"T5 with {label}", folder, inputs, found)
    folder = saved(comparison.scratch / "t5-two-tables", "T5ForConditionalGeneration", **T5)
    rewrite(folder, lambda tensors: {name: tensor for name, tensor in tensors.items() if name != shared}
            | {encoder: tensors[shared], decoder: -tensors[shared]})
    message = refusal(comparison.program, "inspect", folder)
    comparison.say("T5 with two token tables", "token tables of their own" in message and decoder in message,
                   "refused by name")


def check_t5_tokenizer(comparison):
    """A SentencePiece model in T5's convention: what stands for a span, and the mark at the end."""
    import sentencepiece
    import transformers

    folder = comparison.scratch / "t5-tokenizer"
    folder.mkdir()
    sentencepiece.SentencePieceTrainer.train(
        input=str(METHODS), model_prefix=str(folder / "spiece"), vocab_size=400, character_coverage=1.0, pad_id=0,
        eos_id=1, unk_id=2, bos_id=-1, minloglevel=2)
    (folder / "config.json").write_text(json.dumps({"model_type": "t5"}))
    for sentinels in (100, 3):
        (folder / "tokenizer_config.json").write_text(json.dumps({
            "tokenizer_class": "T5Tokenizer", "extra_ids": sentinels, "eos_token": "</s>", "unk_token": "<unk>",
            "pad_token": "<pad>"}))
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        wrong = [text for text in TEXTS if program_ids(comparison, folder, text) != tokenizer(text)["input_ids"]]
        comparison.say(f"T5Tokenizer with {sentinels} sentinels", not wrong,
                       f"{len(TEXTS)} texts" + f"; other: {wrong}" * bool(wrong))


def program_ids(comparison, folder, text):
    file = comparison.scratch / "text.txt"
    file.write_text(text, encoding="utf-8")
    return ids(comparison.program, folder, file)


def check_own_code(comparison):
    """Code of the source's own computes the converted model, where its layout needs no other."""
    folder = saved(comparison.scratch / "house", "LlamaForCausalLM", **WITH_MLP)
    for file, code in {
            "configuration_house.py": HOUSE_CONFIG, "parts_house.py": HOUSE_PARTS, "modeling_house.py": HOUSE}.items():
        (folder / file).write_text(code)
    rewrite(folder, auto_map={"AutoConfig": "configuration_house.HouseConfig",
                              "AutoModelForCausalLM": "modeling_house.HouseForCausalLM"})
    inputs = {"input_ids": some_ids()}
    for layout, target, wanted in comparison.layouts(folder, inputs):
        model = opened(target, runs_code=True)
        is_own = layout in ("standard", "expand")
        name = type(model).__name__
        comparison.say(f"own code, {layout}", name == ("HouseForCausalLM" if is_own else "RegroupedForCausalLM"), name)
        # The code of this source doubles what the weights say, so that it shows whether it ran.
        comparison.same(f"own code, {layout}", said(model, inputs), wanted * (2 if is_own else 1))


def main():
    quiet_transformers()
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["HF_MODULES_CACHE"] = f"{scratch}/modules"
        comparison = Comparison(sys.argv[1], scratch)
        for check in (check_tied, check_encoders, check_classifiers, check_images, check_t5, check_t5_tokenizer, check_own_code):
            check(comparison)
    return 1 if comparison.failures else 0


if __name__ == "__main__":
    sys.exit(main())
