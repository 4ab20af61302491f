"""Random texts by `regroup tokenize` and by transformers' AutoTokenizer: the same ids.

usage: tokenizers_test.py PROGRAM DIRECTORY... [--texts 25]
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import warnings

warnings.filterwarnings("ignore")
import transformers

PARTS = list("abcdeABC   \n\t.,;!?'-_()0123456789") + [
    "é", "ß", "e\u0301", "你好", "カ", "ﬁ", "½", "\u00a0", "\u3000", "🙂", "👨‍👩‍👧", "▁", "\r\n", "don't", " the", " of", "<s>",
    "</s>", "<|im_start|>", "<|endoftext|>", "[MASK]",
]


def random_text(draw):
    # A pipe of the shell's would not keep NUL or a final line break; the file does.
    return "".join(draw.choice(PARTS) for _ in range(draw.randrange(1, 120)))


def ids_of(program, directory, text, special):
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf8", newline="") as file:
        file.write(text)
        file.flush()
        command = [program, "tokenize", directory, "--data", file.name, "--json"] + ([] if special else ["--no-special"])
        return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["ids"]


def main():
    transformers.logging.set_verbosity_error()
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("directories", nargs="+")
    parser.add_argument("--texts", type=int, default=25)
    arguments = parser.parse_args()
    failed = 0
    for directory in arguments.directories:
        draw = random.Random(11)
        tokenizer = transformers.AutoTokenizer.from_pretrained(directory)
        for index in range(arguments.texts):
            text = random_text(draw)
            special = index % 2 == 0
            expected = tokenizer(text, add_special_tokens=special)["input_ids"]
            found = ids_of(arguments.program, directory, text, special)
            if found == expected:
                continue
            failed += 1
            print(f"{directory}: {text!r}: expected {expected}, found {found}")
        print(f"tokenizers: {directory}: {arguments.texts} texts")
    sys.exit(1 if failed else 0)


main()
