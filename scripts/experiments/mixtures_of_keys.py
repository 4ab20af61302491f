#!/usr/bin/env python3
"""Are a few heads with mixtures of Gaussian keys as good as many with softmax? (Transformer-MGK, arXiv 2110.08678.)

    mixtures_of_keys.py PROGRAM --work DIR [--quick]

GPT-2s of 4 layers and width 128 are trained from nothing on as many tokens of books: softmax, MGK, shifted MGK with each
E-step, one component alone, and linear attention with and without mixtures. The claim: four heads of MGK lose at most 0.01
nats to eight of softmax.
"""

import sys

import bench
from bench import Arm

WIDTH, LAYERS, CONTEXT = 128, 4, 256


def kinds():
    """Name → (heads, the config's "attention")."""
    mgk = {"kind": "mgk", "components": 2}
    return {
        "softmax, 8 heads": (8, None),
        "softmax, 4 heads": (4, None),
        "MGK, 4 heads": (4, mgk),
        "sMGK, 4 heads": (4, mgk | {"shifted": True}),
        "MGK, 4 heads, soft E-step": (4, mgk | {"e_step": "soft"}),
        "MGK, 4 heads, hard E-step": (4, mgk | {"e_step": "hard"}),
        "one component, 4 heads": (4, mgk | {"components": 1}),
        "linear, 8 heads": (8, {"kind": "linear"}),
        "linear, 4 heads": (4, {"kind": "linear"}),
        "MLK, 4 heads": (4, {"kind": "mlk", "components": 2}),
    }


def config(heads, attention, vocabulary, quick):
    made = {"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "vocab_size": vocabulary,
            "n_positions": 32 if quick else CONTEXT, "n_embd": 16 if quick else WIDTH, "n_layer": 1 if quick else LAYERS,
            "n_head": heads, "bos_token_id": 0, "eos_token_id": 0, "activation_function": "gelu_new"}
    return made | ({"attention": attention} if attention else {})


def books(options, work):
    """Tokenizer, texts to train on, to choose rates by and to report on."""
    if options.quick:
        text = (bench.pathlib.Path(__file__).parents[2] / "docs" / "METHODS.md").read_text()
        for name, part in {"train.txt": text[:20000], "selection.txt": text[20000:24000], "test.txt": text[24000:30000]}.items():
            (work / name).write_text(part)
        return bench.pathlib.Path(__file__).parents[2] / "examples/demo-llama", *(
            work / name for name in ("train.txt", "selection.txt", "test.txt"))
    texts = options.data / "text"
    selection = work / "selection.txt"
    selection.write_text((texts / "books-calibration-b.txt").read_text()[:60000])
    return options.data / "checkpoints/books-llama", texts / "books-train.txt", selection, texts / "books-val.txt"


def main():
    options = bench.arguments(__doc__).parse_args()
    work = bench.Bench(options)
    tokenizer, train, selection, test = books(options, work.work)
    tokens = options.tokens or ("600" if options.quick else "4M")
    rates = bench.rates_of(options, ["1e-3"] if options.quick else ["5e-4", "1e-3", "2e-3"])
    seeds = 1 if options.quick else options.seeds
    arms = [Arm(name, []) for name in kinds()]
    work.plan(bench.trainings_of(arms, rates, seeds), tokens)

    def common(arm):
        heads, attention = kinds()[arm.name]
        file = work.work / f"{bench.slug(arm.name)}.json"
        bench.write_json(file, config(heads, attention, 4096, options.quick))
        return ["train", file, "--tokenizer", tokenizer, "--data", train, "--validation", selection, "--validation-tokens",
                "256" if options.quick else "16384", "--tokens", tokens, "--batch-tokens", "200" if options.quick else "8192"]

    found = bench.sweep(work, arms, rates, seeds, common)
    losses = {name: bench.means_over_seeds([work.samples(model, "perplexity", test)["loss"] for model in models])
              for name, (_, models) in found.items()}
    rows = []
    for name, (rate, models) in found.items():
        numbers = bench.json.loads((models[0].parent / "train.json").read_text())["trained_numbers"]
        apart = "" if name == arms[0].name else bench.interval_text(bench.paired(losses[name], losses[arms[0].name]))
        rows.append((name, rate, f"{numbers:,}", f"{bench.mean(losses[name]):.4f}", apart))
    print(f"{tokens} tokens, {seeds} seeds; loss on {len(losses[arms[0].name])} windows of text none was trained on")
    bench.print_table(["attention", "rate", "numbers trained", "loss", "against softmax with 8 heads"], rows)


if __name__ == "__main__":
    sys.exit(main())
