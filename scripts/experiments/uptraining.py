#!/usr/bin/env python3
"""How much of a good start is left after uptraining (GQA's recipe, arXiv 2305.13245)?

    uptraining.py PROGRAM --work DIR [--quick] [--kv 0.5,0.25] [--amounts 500k,2M]

books-llama gets groups from five searches and merges, from neighbours and means to this program's defaults, and each is
trained on as many tokens against the source. Loss added to the source's on text that neither was trained on.
"""

import sys

import bench
from bench import Arm

STARTS = {
    "neighbours, mean": ["--method", "neighbour", "--fitness", "wse", "--merge", "mean"],
    "QCQA, mean": ["--method", "qcqa", "--fitness", "wse", "--merge", "mean"],
    "exact, aligned + renorm": ["--method", "exact", "--fitness", "fisher", "--merge", "aligned", "--renorm"],
    "default of heads": ["--width", "head"],
    "default, wide groups": [],
}


def inputs(options, work):
    """Model, text to calibrate, to train, to choose rates by and to report on."""
    here = bench.pathlib.Path(__file__).parents[2]
    if options.quick:
        text = (here / "docs/METHODS.md").read_text()
        parts = {"calibration.txt": text[:8000], "train.txt": text[8000:24000], "selection.txt": text[24000:28000],
                 "test.txt": text[28000:34000]}
        for name, part in parts.items():
            (work / name).write_text(part)
        return here / "examples/demo-llama", *(work / name for name in parts)
    texts, selection = options.data / "text", work / "selection.txt"
    selection.write_text((texts / "books-calibration-b.txt").read_text()[:60000])
    return (options.data / "checkpoints/books-llama", texts / "books-calibration.txt", texts / "books-train.txt", selection,
            texts / "books-val.txt")


def groupings(work, model, calibration, sizes, starts):
    """(start, size) → grouping file."""
    found = {}
    for name in starts:
        run = work.work / "searches" / bench.slug(name)
        if not (run / "run.json").exists():
            run.parent.mkdir(exist_ok=True)
            work.regroup("search", model, *STARTS[name], "--kv", ",".join(sizes), "--calibration", calibration, "--measure",
                         "0", "--force", "-o", run, "-q", "--threads", work.options.threads)
        points = [point for point in bench.json.loads((run / "front.json").read_text())["points"]
                  if point["series"] == "search"]
        for size in sizes:
            fitting = [point for point in points if point["kv_ratio"] <= float(size) + 1e-9]
            found[name, size] = run / max(fitting, key=lambda point: point["kv_ratio"])["grouping"]
    return found


def main():
    parser = bench.arguments(__doc__)
    parser.add_argument("--kv", default="0.5,0.25")
    parser.add_argument("--amounts", default="500k,2M")
    options = parser.parse_args()
    work = bench.Bench(options)
    model, text, train, selection, test = inputs(options, work.work)
    sizes = ["0.5"] if options.quick else options.kv.split(",")
    amounts = ["1k"] if options.quick else [options.tokens] if options.tokens else options.amounts.split(",")
    starts = ["neighbours, mean", "default, wide groups"] if options.quick else list(STARTS)
    rates = bench.rates_of(options, ["3e-4"] if options.quick else ["1e-4", "3e-4", "1e-3"])
    seeds = 1 if options.quick else options.seeds
    count = len(starts) * len(sizes) * len(amounts)
    work.plan(count * (len(rates) + seeds - 1), " or ".join(amounts))
    calibration = work.work / "calibration.safetensors"
    if not calibration.exists():
        work.regroup("calibrate", model, "--data", text, "--tokens", "1024" if options.quick else "24576", "-o", calibration,
                     "-q", "--threads", options.threads)
    files = groupings(work, model, calibration, sizes, starts)
    source = work.samples(model, "perplexity", test)["loss"]
    for size in sizes:
        rows = []
        for start in starts:
            file = files[start, size]
            merged = work.samples(model, "perplexity", test, "--grouping", file)["loss"]
            cells = [bench.interval_text(bench.paired(merged, source))]
            for amount in amounts:
                arm = Arm(f"{start} {size} {amount}", ["--tokens", amount])
                found = bench.sweep(work, [arm], rates, seeds, lambda _, file=file: [
                    "uptrain", model, "--grouping", file, "--data", train, "--validation", selection, "--validation-tokens",
                    "16384", "--batch-tokens", "512" if options.quick else "4096"])
                rate, models = found[arm.name]
                losses = bench.means_over_seeds([work.samples(m, "perplexity", test)["loss"] for m in models])
                cells.append(f"{bench.interval_text(bench.paired(losses, source))}, rate {rate}")
            rows.append((start, *cells))
        print(f"KV {size}, {seeds} seeds; loss added to the source's {bench.mean(source):.4f}")
        bench.print_table(["start", "not trained", *(f"{amount} tokens" for amount in amounts)], rows)


if __name__ == "__main__":
    sys.exit(main())
