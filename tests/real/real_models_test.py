#!/usr/bin/env python3
"""A real pretrained model through the program, beside transformers: ids, logits, loss, and a search whose result converts.

    real_models_test.py PROGRAM MODEL [--brief]      MODEL: a directory that get_models.py built
      --brief  without SmolLM2's search, which takes minutes

References are computed by transformers, in float32, when the test runs. Prints a line for each comparison; exit status 1 if
one fails. What a model is compared in is its class below:

    Llama        ids of text with every kind of token; the rest
    Antibodies   GPT-2. Its ids are given to the program, which reads no vocab.txt alone: Antibodies.text_ids is to be
                 compared when it does
    Encoder      BertModel without a head: ids, hidden states, and their divergence and cosine after a search
"""

import json
import os
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interop"))
from regroup_program import run  # noqa: E402

os.environ["HF_HUB_OFFLINE"] = "1"
ROOT = pathlib.Path(__file__).resolve().parents[2]
# Of logits, relative to the largest; of losses, nats/token. Both sides sum in float32, in other orders.
LOGITS = 2e-5
LOSS = 2e-5
TEXTS = ["The house stood at the end of the road.", " two  blanks\tand\n\nlines ", "In 1878 it cost 12345.67 pounds, 50%!",
         "naïve café – “quoted” 日本語 🙂 ﬁ Ⅷ", "def f(x):\n    return x ** 2  # comment", "",
         "<|im_start|>user\nHello<|im_end|>\n", "don't we'll I'M"]


class Comparison:
    """The program, a model, a folder for what is made, and what was found."""

    def __init__(self, program, model, folder, is_brief):
        self.program, self.model, self.folder = program, pathlib.Path(model), pathlib.Path(folder)
        self.is_brief, self.failures = is_brief, 0

    def say(self, is_right, what, detail):
        self.failures += not is_right
        print(f"{'ok' if is_right else 'FAILED':7}{self.model.name:9}{what:8}{detail}", flush=True)

    def ids(self, encode, texts):
        found = [json.loads(run(self.program, "tokenize", self.model, "--text", text, "--json"))["ids"] for text in texts]
        wrong = [text for text, ids in zip(texts, found) if ids != encode(text)]
        self.say(not wrong, "ids", f"{len(texts)} texts, {sum(map(len, found))} ids" + f"; other: {[text[:60] for text in wrong]}" * bool(wrong))

    def logits(self, reference, ids):
        from safetensors.torch import load_file, save_file

        given, made = self.folder / "in.safetensors", self.folder / "out.safetensors"
        save_file({"input_ids": ids}, given)
        run(self.program, "logits", self.model, "--input", given, "-o", made)
        expected = said(reference(input_ids=ids))
        difference = ((load_file(made)["logits"] - expected).abs().max() / expected.abs().max()).item()
        self.say(difference < LOGITS, "logits", f"{tuple(expected.shape)}, differ by {difference:.1e} of the largest")

    def same_loss(self, what, found, expected):
        self.say(abs(found - expected) < LOSS, what, f"{found:.6f}, transformers {expected:.6f} nats/token")

    def loss(self, reference, stream, context):
        result = json.loads(run(self.program, "eval", self.model, "--data", self.written(stream), "--context", context,
                                "--json", "-q"))
        self.same_loss("loss", result["results"]["perplexity"]["loss,none"], loss_of(reference, stream, context))

    def search(self, reference, stream, context, ratio):
        """The losses that a run reports are those of the source and of the converted checkpoint in transformers."""
        out, converted = self.folder / "run", self.folder / "converted"
        run(self.program, "search", self.model, "-o", out, "--eval", self.written(stream), "--kv", ratio, "--method", "exact",
            "--fitness", "wse", "--merge", "mean", "--refit", "none", "--cache-dtype", "none", "-q")
        front = json.loads((out / "front.json").read_text())
        self.same_loss("source", front["source"]["loss"], loss_of(reference, stream, context))
        run(self.program, "convert", self.model, "--run", out, "--kv", ratio, "-o", converted, "-q")
        found = [point for point in front["points"] if point["series"] == "search" and point.get("loss") is not None]
        self.say(len(found) == 1, "search", f"{len(found)} points measured at KV ratio {ratio}")
        if found:
            self.same_loss("grouped", found[0]["loss"], loss_of(load(converted), stream, context))

    def written(self, stream):
        import numpy

        file = self.folder / "stream.npy"
        numpy.save(file, numpy.array(stream, dtype=numpy.int32))
        return file


def said(output):
    """Logits, or of a model without a head its last hidden states."""
    return output.logits if "logits" in output else output.last_hidden_state


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
        one, other = (said(each(input_ids=ids))[0].double() for each in (source, model))
        total += ((one - other).square().sum(1) / one.square().sum(1)).mean().item()
    return total / windows


class Llama:
    CONTEXT, WINDOWS, SEARCHED, RATIO = 256, 4, 2048, 0.7

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
        if not comparison.is_brief:
            comparison.search(model, stream[:self.SEARCHED + 1], self.SEARCHED, self.RATIO)


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

        stream = (self.text_ids(comparison.model) * 8)[:2049]
        model = load(comparison.model)
        longest = min(model.config.n_positions, 2048)
        comparison.logits(model, torch.tensor(stream[:192]).reshape(2, 96))
        comparison.loss(model, stream, self.CONTEXT)
        comparison.search(model, stream[:longest + 1], longest, self.RATIO)


class Encoder:
    RATIO, WINDOWS = 0.5, 2

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
        front = json.loads((out / "front.json").read_text())
        found = [point for point in front["points"] if point["series"] == "search" and point.get("kl") is not None]
        comparison.say(len(found) == 1, "search", f"{len(found)} points measured at KV ratio {self.RATIO}")
        if found:
            comparison.same_loss("hidden", found[0]["kl"],
                                 divergence_of(model, load(converted, "AutoModel"), stream, context))


MODELS = {"smollm2": Llama, "iglm": Antibodies, "minilm": Encoder}


def main():
    arguments = [argument for argument in sys.argv[1:] if argument != "--brief"]
    if len(arguments) != 2 or pathlib.Path(arguments[1]).name not in MODELS:
        sys.exit(__doc__)
    import torch
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    torch.set_grad_enabled(False)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HF_MODULES_CACHE"] = f"{folder}/modules"
        comparison = Comparison(*arguments, folder, "--brief" in sys.argv)
        MODELS[comparison.model.name]().compare(comparison)
    return 1 if comparison.failures else 0


if __name__ == "__main__":
    sys.exit(main())
