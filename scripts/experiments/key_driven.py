#!/usr/bin/env python3
"""Do deals by key norms or noise (KDGQA, DGQA, PGQA, arXiv 2408.08454) train a ViT better than GQA?

    key_driven.py PROGRAM --work DIR [--quick]

A ViT (6 layers, 8 heads, width 128, patches of 4) is trained on CIFAR-10, gets half the key and value heads, neighbours
merged to the mean, and is trained on for two epochs: GQA, KDGQA, DGQA by the difference and the moving average of the
norms, PGQA with the paper's noise and that of its code. Top-1 accuracy; McNemar's test against GQA.
"""

import sys

import bench
from bench import Arm

HEADS = 8
CLASSES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]


def config(quick, classes):
    width, layers = (16, 1) if quick else (128, 6)
    return {"architectures": ["ViTForImageClassification"], "model_type": "vit", "image_size": 32,
            "patch_size": 16 if quick else 4, "num_channels": 3, "hidden_size": width, "num_hidden_layers": layers,
            "num_attention_heads": HEADS, "intermediate_size": 2 * width, "hidden_act": "gelu", "qkv_bias": True,
            "id2label": {str(i): name for i, name in enumerate(classes)}}


def split(source, work, held_out):
    """Links to the training images, but for the first of each class, which choose the rates."""
    for folder in sorted(source.iterdir()):
        for number, image in enumerate(sorted(folder.iterdir())):
            place = work / ("selection" if number < held_out else "train") / folder.name / image.name
            place.parent.mkdir(parents=True, exist_ok=True)
            if not place.exists():
                place.symlink_to(image.resolve())


def drawn_images(work):
    """Pictures of one colour with a few dots, two classes, as PNG files."""
    import struct
    import zlib

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    stream = bench.random.Random(1)
    for part, count in {"all": 24, "test": 12}.items():
        for name, colour in {"blue": (40, 40, 200), "red": (200, 40, 40)}.items():
            (work / part / name).mkdir(parents=True, exist_ok=True)
            for number in range(count):
                rows = b"".join(b"\0" + b"".join(bytes(min(255, c + stream.randrange(50)) for c in colour)
                                                 for _ in range(32)) for _ in range(32))
                (work / part / name / f"{number:02}.png").write_bytes(
                    b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 32, 32, 8, 2, 0, 0, 0))
                    + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
    return work / "all", work / "test"


def main():
    parser = bench.arguments(__doc__)
    parser.add_argument("--source-epochs", type=int, help="epochs that the ViT itself is trained for (20)")
    options = parser.parse_args()
    work = bench.Bench(options)
    cifar = options.data / "images/cifar10"
    images, test = drawn_images(work.work) if options.quick else (cifar / "train", cifar / "test")
    split(images, work.work, 4 if options.quick else 100)
    made = config(options.quick, ["blue", "red"] if options.quick else CLASSES)
    bench.write_json(work.work / "config.json", made)
    positions = (made["image_size"] // made["patch_size"])**2 + 1
    bench.write_json(work.work / "grouping.json",
                     bench.grouping_json([bench.neighbours(HEADS, HEADS // 2)] * made["num_hidden_layers"]))
    arms = [Arm("GQA", []), Arm("KDGQA", ["--deal", "kdgqa"]), Arm("DGQA, difference", ["--deal", "dgqa-diff"]),
            Arm("DGQA, moving average", ["--deal", "dgqa-ema"]), Arm("PGQA, the paper's noise", ["--noise", "paper"]),
            Arm("PGQA, its code's noise", ["--noise", "code"])]
    epoch = positions * sum(1 for _ in (work.work / "train").rglob("*.*"))
    tokens = options.tokens or str(2 * epoch)
    rates = bench.rates_of(options, ["1e-3"] if options.quick else ["1e-4", "3e-4", "1e-3"])
    seeds = 1 if options.quick else options.seeds
    work.plan(1 + bench.trainings_of(arms, rates, seeds), tokens)

    shared = ["--data", work.work / "train", "--validation", work.work / "selection", "--batch-tokens",
              "100" if options.quick else str(128 * positions)]
    _, source = work.trained("source", "train", work.work / "config.json", *shared, "--tokens",
                             str((options.source_epochs or (2 if options.quick else 20)) * epoch), "--lr", "1e-3")

    def common(_):
        return ["uptrain", source, "--grouping", work.work / "grouping.json", *shared, "--loss", "ce",
                "--tokens", tokens]

    found = bench.sweep(work, arms, rates, seeds, common)
    task = "image-classification"
    whole = work.samples(source, task, test)["acc"]
    merged = work.samples(source, task, test, "--grouping", work.work / "grouping.json")["acc"]
    right = {name: [work.samples(model, task, test)["acc"] for model in models] for name, (_, models) in found.items()}
    rows = [("the source", "", f"{bench.mean(whole):.4f}", ""), ("merged, not trained", "", f"{bench.mean(merged):.4f}", "")]
    for name, (rate, _) in found.items():
        only, other, p = bench.mcnemar(right[name][0], right["GQA"][0])
        rows.append((name, rate, f"{bench.mean(bench.means_over_seeds(right[name])):.4f}",
                     "" if name == "GQA" else f"{only} and {other}, p = {p:.3f}"))
    print(f"{tokens} positions, {seeds} seeds; accuracy on {len(whole)} images")
    bench.print_table(["training", "rate", "accuracy", "images that it or GQA alone finds, first seed"], rows)


if __name__ == "__main__":
    sys.exit(main())
