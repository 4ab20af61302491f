#!/usr/bin/env python3
"""Tokenizers of GGUF files in llama.cpp and in the program: one text, the same ids.

    llama_cpp_tokenizers_test.py PROGRAM [--added DIRECTORY]

A byte-level vocabulary whose merges cross words, so that every cut shows, is written as GGUF under each name below of a
way to cut text. The program reads the file to llama.cpp's ids, and what it writes of it, a directory and from that
another GGUF file, keeps name and ids; the directory's tokenizer.json gives them in Hugging Face's library, too.

DIRECTORY holds a SentencePiece tokenizer to which tokens were added, and cases.json: each of them is one id in
llama.cpp, and text without them has the same ids. REGROUP_LLAMA_CPP names the folder of llama.cpp's libraries.
"""

import argparse
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

import gguf
import tokenizers

from llama_cpp_model import LlamaCppModel
from regroup_program import run, ungrouped, write_grouping
from tiny_llama import write_tiny_llama

# Besides gpt-2, llama-bpe and qwen2, which llama_cpp_test.py compares by real tokenizers.
WAYS = ["smaug-bpe", "qwen35", "tekken", "gpt-4o", "seed-coder", "smollm", "deepseek-llm", "deepseek-coder",
        "deepseek-v3", "falcon", "default"]
METHODS = pathlib.Path(__file__).resolve().parents[2] / "docs" / "METHODS.md"
# Without letters of title case and ideographic blanks: llama.cpp's expressions know cases of ASCII alone, and take wide
# blanks for narrow ones.
PIECES = list("abcdeABC   \n\t.,;!?'-_()+=<>^~|`$0123456789/\\") + [
    "é", "ß", "naïve", "你好", "カ", "한국", "½", "²", "\u00a0", "🙂", "\r\n", "don't", "I'LL", " the", " of", "HTTP",
    "12345", "\n\n", "   ", "Ⅷ", "٣٤", "“", "”", "–", "。", "x=1;", "camelCase"]


def some_text(seed, parts):
    draw = random.Random(seed)
    return "".join(draw.choice(PIECES) for _ in range(parts))


def write_vocabulary(folder):
    """A tiny Llama whose merges know no words."""
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=3000, show_progress=False, initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet())
    lines = [some_text(seed, 40) for seed in range(300)] + METHODS.read_text(encoding="utf-8").splitlines(True)[:200]
    tokenizer.train_from_iterator(lines, trainer)
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    write_tiny_llama(folder, tokenizer.get_vocab_size())
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def convert(program, model, target, *options):
    shape = json.loads(run(program, "inspect", model, "--json"))
    grouping = write_grouping(target.parent / "grouping.json", ungrouped(shape["layers"], shape["kv_heads"]))
    run(program, "convert", model, "--grouping", grouping, "-o", target, "-q", *options)
    return target


def renamed(file, way, target):
    """A copy of a GGUF file that is said to cut text in another way."""
    subprocess.run([sys.executable, "-m", "gguf.scripts.gguf_new_metadata", "--pre-tokenizer", way, file, target],
                   check=True, capture_output=True)
    return target


def program_ids(program, file, text):
    return json.loads(run(program, "tokenize", file, "--data", text, "--no-special", "--json", "-q"))["ids"]


def llama_cpp_ids(file, text, parse=False):
    loaded = LlamaCppModel(file)
    found = loaded.tokens(text, False, parse)
    loaded.close()
    return found


def first_difference(found, wanted):
    """Where two lists part; none where they are the same."""
    if found == wanted:
        return ""
    place = len(os.path.commonprefix([found, wanted]))
    return f"from the id {place} on: {found[place:place + 4]}, llama.cpp {wanted[place:place + 4]}"


def check_way(program, plain, way, text, folder):
    """Messages on what is wrong; empty if nothing is."""
    folder.mkdir()
    file = renamed(plain, way, folder / "renamed.gguf")
    written = text.read_bytes().decode()
    wanted = llama_cpp_ids(file, written)
    directory = convert(program, file, folder / "directory")
    library = tokenizers.Tokenizer.from_file(str(directory / "tokenizer.json"))
    again = convert(program, directory, folder / "again.gguf", "--format", "gguf")
    name = gguf.GGUFReader(again).fields["tokenizer.ggml.pre"].contents()
    found = {"the program": program_ids(program, file, text),
             "its directory": library.encode(written, add_special_tokens=False).ids,
             "its GGUF file": llama_cpp_ids(again, written)}
    problems = [f"{who}: {parted}" for who, other in found.items() if (parted := first_difference(other, wanted))]
    return problems + ([] if name == way else [f"written as {name}"])


def check_ways(program, scratch):
    """How many ways to cut text go wrong."""
    plain = convert(program, write_vocabulary(scratch / "model"), scratch / "plain.gguf", "--format", "gguf")
    text = scratch / "text.txt"
    text.write_bytes(some_text("ids", 3000).encode())
    failures = 0
    for way in WAYS:
        problems = check_way(program, plain, way, text, scratch / way)
        failures += bool(problems)
        print(f"{way:16}{'; '.join(problems) or 'ok'}", flush=True)
    return failures


def check_added(program, directory, scratch):
    """Added tokens are one id each in llama.cpp; texts without them have transformers' ids. Whether a text is wrong."""
    cases = json.loads((directory / "cases.json").read_text())
    added = json.loads((directory / "tokenizer.json").read_text())["added_tokens"]
    model = write_tiny_llama(scratch / "added", 1 + max(token["id"] for token in added))
    for file in directory.glob("tokenizer*"):
        shutil.copy(file, model)
    loaded = LlamaCppModel(convert(program, model, scratch / "added.gguf", "--format", "gguf"))
    special = {token["content"]: token["id"] for token in added if token["content"] != "<unk>"}
    wrong = [token for token, number in special.items() if loaded.tokens(token, False, True) != [number]]
    for case in cases:
        # After a special token llama.cpp puts a blank before the text, so that between them other tokens stand.
        is_plain = not any(token in case["text"] for token in special)
        kept = None if is_plain else special.values()
        found = loaded.tokens(case["text"], False, True)
        if only(found, kept) != only(case["ids_no_special"], kept):
            wrong.append(case["text"])
    loaded.close()
    print(f"added tokens    {len(special)} tokens, {len(cases)} texts" + f"; other: {wrong}" * bool(wrong))
    return bool(wrong)


def only(numbers, kept):
    return [number for number in numbers if kept is None or number in kept]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--added", metavar="DIRECTORY", type=pathlib.Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        failures = check_ways(arguments.program, scratch)
        if arguments.added:
            failures += check_added(arguments.program, arguments.added, scratch)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
