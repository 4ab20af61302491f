#!/usr/bin/env python3
"""A real pretrained model through the program, beside transformers: ids, logits, loss, and a search whose result converts.

    real_models_test.py PROGRAM MODEL                MODEL: a directory that get_models.py built

References are computed by transformers, in float32, when the test runs. Prints a line for each comparison; exit status 1 if
one fails. What a model is compared in is its class below:

    Llama        ids of text with every kind of token; the rest; source.gguf, from which the directory was made
    Antibodies   GPT-2. Its ids are given to the program, which refuses a vocab.txt alone: Antibodies.text_ids is to be
                 compared when it reads it
    Encoder      BertModel without a head: ids, hidden states, and their divergence and cosine after a search; what
                 sentence-transformers wants beside the weights goes along
"""

import json
import os
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interop"))
from regroup_program import refusal, run, ungrouped, write_grouping  # noqa: E402
from transformers_models import difference, program_logits, quiet_transformers, said  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Of logits, relative to the largest; of losses, nats/token. Both sides sum in float32, in other orders.
LOGITS = 2e-5
LOSS = 2e-5
# Of logits whose weights are rounded to bfloat16 on one side.
ROUNDED = 2e-2
TEXTS = ["The house stood at the end of the road.", " two  blanks\tand\n\nlines ", "In 1878 it cost 12345.67 pounds, 50%!",
         "naïve café – “quoted” 日本語 🙂 ﬁ Ⅷ", "def f(x):\n    return x ** 2  # comment", "",
         "<|im_start|>user\nHello<|im_end|>\n", "don't we'll I'M"]


class Comparison:
    """The program, a model, a folder for what is made, and what was found."""

    def __init__(self, program, model, folder):
        self.program, self.model, self.folder, self.failures = program, pathlib.Path(model), pathlib.Path(folder), 0

    def say(self, is_right, what, detail):
        self.failures += not is_right
        print(f"{'ok' if is_right else 'FAILED':7}{self.model.name:9}{what:8}{detail}", flush=True)

    def ids(self, encode, texts):
        found = [json.loads(run(self.program, "tokenize", self.model, "--text", text, "--json"))["ids"] for text in texts]
        wrong = [text for text, ids in zip(texts, found) if ids != encode(text)]
        self.say(not wrong, "ids", f"{len(texts)} texts, {sum(map(len, found))} ids" +
                 f"; other: {[text[:60] for text in wrong]}" * bool(wrong))

    def logits(self, reference, ids, file="", tolerance=LOGITS):
        """Of the model, or of a file in its directory."""
        expected = said(reference, {"input_ids": ids})
        found = program_logits(self.program, self.model / file, {"input_ids": ids}, self.folder)
        differs = difference(found, expected) / expected.abs().max().item()
        self.say(differs < tolerance, "logits",
                 f"{file or 'model'} {tuple(expected.shape)}, differ by {differs:.1e} of the largest")

    def same_loss(self, what, found, expected):
        self.say(abs(found - expected) < LOSS, what, f"{found:.6f}, transformers {expected:.6f} nats/token")

    def loss(self, reference, stream, context):
        result = json.loads(run(self.program, "eval", self.model, "--data", self.written(stream), "--context", context,
                                "--json", "-q"))
        self.same_loss("loss", result["results"]["perplexity"]["loss,none"], loss_of(reference, stream, context))

    def search(self, reference, stream, context, ratio):
        """The losses that a run reports are those of the source and of the converted checkpoint in transformers."""
        out, converted = self.folder / "run", self.folder / "converted"
        model = self.shortened(context)
        run(self.program, "search", model, "-o", out, "--eval", self.written(stream), "--kv", ratio, "--method", "exact",
            "--fitness", "wse", "--merge", "mean", "--refit", "none", "--cache-dtype", "none", "-q")
        front = json.loads((out / "front.json").read_text())
        self.same_loss("source", front["source"]["loss"], loss_of(reference, stream, context))
        run(self.program, "convert", model, "--run", out, "--kv", ratio, "-o", converted, "-q")
        found = [point for point in front["points"] if point["series"] == "search" and point.get("loss") is not None]
        self.say(len(found) == 1, "search", f"{len(found)} points measured at KV ratio {ratio}")
        if found:
            self.same_loss("grouped", found[0]["loss"], loss_of(load(converted), stream, context))

    def shortened(self, context):
        """The model with a context of so many tokens, which a search measures windows of."""
        config = json.loads((self.model / "config.json").read_text())
        longest = next(name for name in ("max_position_embeddings", "n_positions") if name in config)
        if config[longest] <= context:
            return self.model
        model = self.folder / f"{self.model.name}-{context}"
        model.mkdir()
        for file in self.model.iterdir():
            (model / file.name).symlink_to(file.resolve())
        (model / "config.json").unlink()
        (model / "config.json").write_text(json.dumps(config | {longest: context}))
        return model

    def written(self, stream):
        import numpy

        file = self.folder / "stream.npy"
        numpy.save(file, numpy.array(stream, dtype=numpy.int32))
        return file


def load(directory, auto="AutoModelForCausalLM"):
    import torch
    import transformers

    return getattr(transformers, auto).from_pretrained(directory, dtype=torch.float32, trust_remote_code=True).eval()


def loss_of(model, stream, context):
    """Mean loss of the next token over disjoint windows, docs/METHODS.md section 9."""
    import torch

    total, windows = 0.0, (len(stream) - 1) // context
    for window in range(windows):
        ids = torch.tensor(stream[window * context:(window + 1) * context + 1])
        total += torch.nn.functional.cross_entropy(model(ids[None, :-1]).logits[0].double(), ids[1:]).item()
    return total / windows


def divergence_of(source, model, stream, context):
    """Mean squared distance of the last hidden states relative to the source's, docs/METHODS.md section 9."""
    import torch

    total, windows = 0.0, (len(stream) - 1) // context
    for window in range(windows):
        ids = torch.tensor(stream[window * context:(window + 1) * context])[None]
        one, other = (said(each, {"input_ids": ids})[0].double() for each in (source, model))
        total += ((one - other).square().sum(1) / one.square().sum(1)).mean().item()
    return total / windows


class Llama:
    CONTEXT, WINDOWS = 256, 4
    SEARCHED_CONTEXT, SEARCHED_WINDOWS, RATIO = 128, 2, 0.5

    def compare(self, comparison):
        import torch
        import transformers

        # As tokenizer.json says. Its class, GPT2Tokenizer, would leave out the file's step that parts numbers, which shows
        # where one that is no digit follows a blank.
        tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_file=str(comparison.model / "tokenizer.json"))
        text = (ROOT / "docs" / "METHODS.md").read_text(encoding="utf-8")
        comparison.ids(lambda one: tokenizer(one)["input_ids"], TEXTS + [text])
        stream = tokenizer(text)["input_ids"]
        model = load(comparison.model)
        comparison.logits(model, torch.tensor(stream[:192]).reshape(2, 96))
        comparison.loss(model, stream[:self.WINDOWS * self.CONTEXT + 1], self.CONTEXT)
        comparison.search(model, stream[:self.SEARCHED_WINDOWS * self.SEARCHED_CONTEXT + 1], self.SEARCHED_CONTEXT,
                          self.RATIO)
        if (comparison.model / "source.gguf").exists():
            self.compare_source(comparison, model, torch.tensor(stream[:64]).reshape(1, 64))

    def compare_source(self, comparison, model, ids):
        """The quantized file gives the directory's weights, which transformers made of it, bit by bit."""
        from safetensors.torch import load_file

        config = model.config
        grouping = write_grouping(comparison.folder / "whole.json",
                                  ungrouped(config.num_hidden_layers, config.num_key_value_heads))
        directory = comparison.folder / "from-gguf"
        run(comparison.program, "convert", comparison.model / "source.gguf", "--grouping", grouping,
            "--dtype", "bfloat16", "-o", directory, "-q")
        found, wanted = (load_file(folder / "model.safetensors") for folder in (directory, comparison.model))
        other = [name for name in wanted if name not in found or not found[name].equal(wanted[name])]
        comparison.say(not other and len(found) == len(wanted), "gguf", f"{len(wanted)} tensors; other: {other}")
        comparison.logits(model, ids, "source.gguf", ROUNDED)


class Antibodies:
    CONTEXT, RATIO = 128, 0.5
    SEQUENCES = ["EVQLVESGGGLVQPGGSLRLSCAASGFTFSSYAMSWVRQAPGKGLEWVSAISGSGGSTYYADSVKGRFTISRDNSKNTLYLQMNSLRAEDTAVYYCAK",
                 "QVQLQQSGAELARPGASVKMSCKASGYTFTRYTMHWVKQRPGQGLEWIGYINPSRGYTNYNQKFKDKATLTTDKSSSTAYMQLSSLTSEDSAVYYCAR",
                 "DIQMTQSPSSLSASVGDRVTITCRASQDVNTAVAWYQQKPGKAPKLLIYSASFLYSGVPSRFSGSRSGTDFTLTISSLQPEDFATYYCQQHYTTPPTF"]

    def text_ids(self, model):
        """Each sequence as IgLM is given it: chain, species, residues, end."""
        vocabulary = (model / "vocab.txt").read_text().split()
        ids = []
        for sequence, chain in zip(self.SEQUENCES, ["[HEAVY]", "[HEAVY]", "[LIGHT]"]):
            ids += [vocabulary.index(token) for token in [chain, "[HUMAN]", *sequence, "[SEP]"]]
        return ids

    def compare(self, comparison):
        import torch

        message = refusal(comparison.program, "tokenize", comparison.model, "--text", self.SEQUENCES[0])
        comparison.say("vocab.txt belongs to a tokenizer that is not supported" in message, "text", "refused")
        stream = (self.text_ids(comparison.model) * 8)[:2049]
        model = load(comparison.model)
        longest = min(model.config.n_positions, 2048)
        comparison.logits(model, torch.tensor(stream[:192]).reshape(2, 96))
        comparison.loss(model, stream, self.CONTEXT)
        comparison.search(model, stream[:longest + 1], longest, self.RATIO)


class Encoder:
    RATIO, WINDOWS = 0.5, 2
    COMPANIONS = ["modules.json", "sentence_bert_config.json", "config_sentence_transformers.json",
                  "1_Pooling/config.json"]

    def compare(self, comparison):
        import torch
        import transformers

        tokenizer = transformers.AutoTokenizer.from_pretrained(comparison.model)
        comparison.ids(lambda one: tokenizer(one)["input_ids"], TEXTS)
        model = load(comparison.model, "AutoModel")
        text = (ROOT / "docs" / "METHODS.md").read_text(encoding="utf-8")
        stream = tokenizer(text, truncation=False)["input_ids"]
        comparison.logits(model, torch.tensor(stream[:192]).reshape(2, 96))
        context = model.config.max_position_embeddings
        self.search(comparison, model, stream[:self.WINDOWS * context + 1], context)

    def search(self, comparison, model, stream, context):
        """The divergence that a run reports is that of the converted checkpoint in transformers."""
        out, converted = comparison.folder / "run", comparison.folder / "converted"
        run(comparison.program, "search", comparison.model, "-o", out, "--eval", comparison.written(stream), "--kv",
            self.RATIO, "--method", "exact", "--fitness", "wse", "--merge", "mean", "--refit", "none", "-q")
        run(comparison.program, "convert", comparison.model, "--run", out, "--kv", self.RATIO, "-o", converted, "-q")
        other = [file for file in self.COMPANIONS if not (converted / file).is_file()
                 or (converted / file).read_bytes() != (comparison.model / file).read_bytes()]
        comparison.say(not other, "files", f"{len(self.COMPANIONS)} go along; other: {other}")
        front = json.loads((out / "front.json").read_text())
        found = [point for point in front["points"] if point["series"] == "search" and point.get("kl") is not None]
        comparison.say(len(found) == 1, "search", f"{len(found)} points measured at KV ratio {self.RATIO}")
        if found:
            comparison.same_loss("hidden", found[0]["kl"],
                                 divergence_of(model, load(converted, "AutoModel"), stream, context))


MODELS = {"smollm2": Llama, "iglm": Antibodies, "minilm": Encoder}


def main():
    arguments = sys.argv[1:]
    if len(arguments) != 2 or pathlib.Path(arguments[1]).name not in MODELS:
        sys.exit(__doc__)
    quiet_transformers()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HF_MODULES_CACHE"] = f"{folder}/modules"
        comparison = Comparison(*arguments, folder)
        MODELS[comparison.model.name]().compare(comparison)
    return 1 if comparison.failures else 0


if __name__ == "__main__":
    sys.exit(main())
