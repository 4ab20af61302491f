#!/usr/bin/env python3
"""Do learned weights of each group's mean (WGQA, arXiv 2407.10855) beat the mean? On a T5 trained here.

    learned_means.py PROGRAM --work DIR [--quick]

A T5 (2 + 2 layers, 8 heads, width 128) learns to transliterate names from Arabic. Then the decoder's self- and
cross-attention get half the key and value heads, neighbours merged, and the model is trained on: GQA, and WGQA with a
scalar, a row or a column of weights, begun as the mean or at random; and the weights alone, all else frozen, beside the
merged model as it is. Loss per character and exact matches of greedy decoding.
"""

import sys

import bench
from bench import Arm

HEADS = 8


def config(quick):
    width, layers = (16, 1) if quick else (128, 2)
    return {"architectures": ["T5ForConditionalGeneration"], "model_type": "t5", "vocab_size": 87, "d_model": width,
            "d_kv": width // HEADS, "d_ff": 2 * width, "num_layers": layers, "num_decoder_layers": layers,
            "num_heads": HEADS, "relative_attention_num_buckets": 16, "relative_attention_max_distance": 32,
            "n_positions": 64, "feed_forward_proj": "relu", "decoder_start_token_id": 0, "pad_token_id": 0,
            "eos_token_id": 1, "tie_word_embeddings": False, "initializer_range": 0.05}


def pairs(options, work):
    """Tokenizer, pairs to train on, to choose by and to report on; quick: words and their letters turned round."""
    if not options.quick:
        folder = options.data / "seq2seq/transliteration"
        return folder, *(folder / f"{name}.jsonl" for name in ("train", "validation", "test"))
    words = (bench.pathlib.Path(__file__).parents[2] / "docs/METHODS.md").read_text().lower().split()
    words = sorted({word for word in words if word.isascii() and word.isalpha() and 2 < len(word) < 8})
    letters = ["<pad>", "</s>", "<unk>", *"abcdefghijklmnopqrstuvwxyz"]
    folder = work / "letters"
    folder.mkdir(exist_ok=True)
    bench.write_json(folder / "tokenizer.json", {
        "version": "1.0", "added_tokens": [], "normalizer": None, "decoder": None, "post_processor": None,
        "pre_tokenizer": {"type": "Split", "pattern": {"Regex": "."}, "behavior": "Isolated", "invert": False},
        "model": {"type": "WordLevel", "vocab": {letter: i for i, letter in enumerate(letters)}, "unk_token": "<unk>"}})
    for name, some in {"train": words[0:120], "selection": words[120:150], "test": words[150:180]}.items():
        lines = [bench.json.dumps({"source": word, "target": word[::-1]}) for word in some]
        (work / f"{name}.jsonl").write_text("\n".join(lines) + "\n")
    return folder, *(work / f"{name}.jsonl" for name in ("train", "selection", "test"))


def main():
    parser = bench.arguments(__doc__)
    parser.add_argument("--source-tokens", help="tokens of targets that the T5 itself is trained on (2M)")
    options = parser.parse_args()
    work = bench.Bench(options)
    letters, train, selection, test = pairs(options, work.work)
    layers = config(options.quick)["num_layers"]
    half = bench.neighbours(HEADS, HEADS // 2)
    bench.write_json(work.work / "grouping.json",
                     bench.grouping_json([bench.alone(HEADS)] * layers + [half] * (2 * layers)))
    bench.write_json(work.work / "config.json", config(options.quick))
    arms = [Arm("GQA", [])]
    alone = []
    for form in ("scalar", "row", "column"):
        arms += [Arm(f"WGQA, {form}, from the mean", ["--weights", form]),
                 Arm(f"WGQA, {form}, random", ["--weights", form, "--start", "random"])]
        alone.append(Arm(f"weights alone, {form}", ["--weights", form, "--train", "weights"]))
    tokens = options.tokens or ("400" if options.quick else "500k")
    source_tokens = options.source_tokens or ("1k" if options.quick else "2M")
    rates = bench.rates_of(options, ["1e-3"] if options.quick else ["3e-4", "1e-3", "3e-3"])
    weight_rates = ["3e-2"] if options.quick else ["3e-3", "1e-2", "3e-2"]
    seeds = 1 if options.quick else options.seeds
    batch = "200" if options.quick else "1024"
    work.plan(1 + bench.trainings_of(arms, rates, seeds) + bench.trainings_of(alone, weight_rates, seeds), tokens)

    shared = ["--data", train, "--validation", selection, "--validation-tokens", "3000", "--batch-tokens", batch]
    _, source = work.trained("source", "train", work.work / "config.json", "--tokenizer", letters, *shared, "--tokens",
                             source_tokens, "--lr", "1e-3")

    def common(_):
        return ["uptrain", source, "--grouping", work.work / "grouping.json", *shared, "--loss", "ce",
                "--tokens", tokens]

    found = bench.sweep(work, arms, rates, seeds, common) | bench.sweep(work, alone, weight_rates, seeds, common)
    task = "sequence-to-sequence"
    merged = work.samples(source, task, test, "--grouping", work.work / "grouping.json")
    whole = work.samples(source, task, test)
    measured = {name: [work.samples(model, task, test) for model in models] for name, (_, models) in found.items()}
    rows = [("the source", "", f"{bench.mean(whole['loss']):.4f}", f"{bench.mean(whole['exact_match']):.4f}", ""),
            ("merged, not trained", "", f"{bench.mean(merged['loss']):.4f}", f"{bench.mean(merged['exact_match']):.4f}", "")]
    trained = bench.means_over_seeds([run["loss"] for run in measured["GQA"]])
    for name, (rate, _) in found.items():
        losses = bench.means_over_seeds([run["loss"] for run in measured[name]])
        exact = bench.means_over_seeds([run["exact_match"] for run in measured[name]])
        base = merged["loss"] if name.startswith("weights alone") else trained
        apart = "" if name == "GQA" else bench.interval_text(bench.paired(losses, base))
        rows.append((name, rate, f"{bench.mean(losses):.4f}", f"{bench.mean(exact):.4f}", apart))
    print(f"{tokens} tokens of targets, {seeds} seeds; {len(trained)} pairs")
    bench.print_table(["model", "rate", "loss per token", "exact matches",
                       "loss against GQA, weights alone against the merged model"], rows)


if __name__ == "__main__":
    sys.exit(main())
