#!/usr/bin/env python3
"""Do mixtures of keys need fewer heads on ListOps? (Transformer-MGK, arXiv 2110.08678; ListOps, arXiv 1804.06028.)

    listops.py PROGRAM --work DIR [--quick]

Expressions of MIN, MAX, MED and SM (sum modulo 10), at most 6 deep and of 50 to 200 tokens, are made here with a fixed
key; encoders of 2 layers and width 64 find their values. Accuracy by kind of attention and number of heads.
"""

import json
import random
import sys

import bench
from bench import Arm

OPERATORS = {"[MIN": min, "[MAX": max, "[MED": lambda values: sorted(values)[len(values) // 2],
             "[SM": lambda values: sum(values) % 10}
TOKENS = ["[PAD]", "[UNK]", "[CLS]", *OPERATORS, "]", *"0123456789"]
CONTEXT, DEPTH = 256, 6


def expression(stream, depth):
    """(tokens, value) of a random expression."""
    if depth == 0 or (depth < DEPTH and stream.random() < 0.6):
        digit = stream.randrange(10)
        return [str(digit)], digit
    operator = stream.choice(list(OPERATORS))
    parts = [expression(stream, depth - 1) for _ in range(stream.randint(2, 6))]
    tokens = [operator, *(token for part, _ in parts for token in part), "]"]
    return tokens, OPERATORS[operator]([value for _, value in parts])


def items(count, key, shortest, longest):
    """JSON lines of so many different expressions."""
    stream, seen, lines = random.Random(key), set(), []
    while len(lines) < count:
        tokens, value = expression(stream, DEPTH)
        text = " ".join(tokens)
        if shortest <= len(tokens) <= longest and text not in seen:
            seen.add(text)
            lines.append(json.dumps({"text": text, "label": value}))
    return "\n".join(lines) + "\n"


def tokenizer():
    """tokenizer.json: a token a word, [CLS] before them."""
    return {"version": "1.0", "added_tokens": [
                {"id": i, "content": token, "special": True, "single_word": False, "lstrip": False, "rstrip": False,
                 "normalized": False} for i, token in enumerate(TOKENS[:3])],
            "normalizer": None, "pre_tokenizer": {"type": "WhitespaceSplit"}, "decoder": None,
            "post_processor": {"type": "TemplateProcessing", "single": [
                {"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
                "pair": [{"Sequence": {"id": "A", "type_id": 0}}],
                "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]}}},
            "model": {"type": "WordLevel", "vocab": {token: i for i, token in enumerate(TOKENS)}, "unk_token": "[UNK]"}}


def config(heads, attention, width, layers):
    made = {"architectures": ["BertForSequenceClassification"], "model_type": "bert", "vocab_size": len(TOKENS),
            "hidden_size": width, "intermediate_size": 2 * width, "num_hidden_layers": layers, "num_attention_heads": heads,
            "max_position_embeddings": CONTEXT, "type_vocab_size": 1, "pad_token_id": 0, "initializer_range": 0.05,
            "id2label": {str(digit): str(digit) for digit in range(10)}}
    return made | ({"attention": attention} if attention else {})


def heads_text(count):
    return f"{count} head" + "s" * (count > 1)


def main():
    options = bench.arguments(__doc__).parse_args()
    work = bench.Bench(options)
    counts = (60, 20, 20) if options.quick else (20000, 1000, 10000)
    lengths = (5, 20) if options.quick else (50, 200)
    for key, (name, count) in enumerate(zip(("train", "selection", "test"), counts, strict=True)):
        file = work.work / f"{name}.jsonl"
        if not file.exists():
            file.write_text(items(count, key, *lengths))
    words = work.work / "words"
    words.mkdir(exist_ok=True)
    bench.write_json(words / "tokenizer.json", tokenizer())
    mixtures = {"softmax": None, "MGK": {"kind": "mgk", "components": 2},
                "sMGK": {"kind": "mgk", "components": 2, "shifted": True}}
    heads = [4, 1] if options.quick else [8, 4, 2, 1]
    kinds = {f"{name}, {heads_text(n)}": (n, attention) for n in heads for name, attention in mixtures.items()}
    arms = [Arm(name, []) for name in kinds]
    tokens = options.tokens or ("1k" if options.quick else "20M")
    rates = bench.rates_of(options, ["1e-3"] if options.quick else ["3e-4", "1e-3", "3e-3"])
    seeds = 1 if options.quick else options.seeds
    work.plan(bench.trainings_of(arms, rates, seeds), tokens)

    def common(arm):
        file = work.work / f"{bench.slug(arm.name)}.json"
        bench.write_json(file, config(*kinds[arm.name], *((16, 1) if options.quick else (64, 2))))
        return ["train", file, "--tokenizer", words, "--data", work.work / "train.jsonl", "--validation",
                work.work / "selection.jsonl", "--tokens", tokens, "--validation-tokens", "300", "--batch-tokens",
                "300" if options.quick else "4096"]

    found = bench.sweep(work, arms, rates, seeds, common)
    right = {name: [work.samples(model, "text-classification", work.work / "test.jsonl")["acc"] for model in models]
             for name, (_, models) in found.items()}
    rows = []
    for name, (rate, _) in found.items():
        base = f"softmax, {heads_text(kinds[name][0])}"
        difference = bench.paired(bench.means_over_seeds(right[name]), bench.means_over_seeds(right[base]))
        rows.append((name, rate, f"{bench.mean(bench.means_over_seeds(right[name])):.4f}",
                     "" if name == base else bench.interval_text(difference)))
    print(f"{tokens} tokens, {seeds} seeds; accuracy on {counts[2]} expressions")
    bench.print_table(["attention", "rate", "accuracy", "against softmax with as many heads"], rows)


if __name__ == "__main__":
    sys.exit(main())
