"""Small tokenizers of every part that a tokenizer.json may have, with the ids and the text that Hugging Face's
tokenizers makes of them.

usage: make.py OUT (here: pipelines.json); made with tokenizers 0.23.3. Vocabularies are letters and some of their
combinations, drawn with a fixed seed, so that nothing is trained.
"""

import base64
import json
import random
import struct
import sys

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, processors
from tokenizers import pre_tokenizers as pre
import tokenizers

LETTERS = list("abcdehlnorst") + ["A", "B", "1", "2", ".", ",", "'", "!", "é", "你", "▁", " ", "\n"]
PARTS = LETTERS + [
    "  ", "the", " and", "Hello", "don't", "12", "x", "z", "e\u0301", "ß", "İ", "ﬁ", "Ⅳ", "½", "ａ", "🙂", "👨‍👩‍👧",
    "\u00a0", "\u2003", "\u200b", "\u200d", "\t", "\r\n", "\x07", "$", "+", "—", "“", "日本", "한", "_", "<m>", "<sp>",
    "<w>", "WORD", "<x>", "▁▁",
]
RANDOM = random.Random(3)
TEXTS = ["", "a", " ", "  ", " a", "a ", "\n", "<x>", "WORD", "<m> <m>"] + [
    "".join(RANDOM.choice(PARTS) for _ in range(RANDOM.randrange(1, 16))) for _ in range(50)
]
ADDED = [
    AddedToken("<m>", lstrip=True, normalized=False, special=True),
    AddedToken("<sp>", rstrip=True, normalized=False, special=True),
    AddedToken("<w>", single_word=True, normalized=False),
    AddedToken("WORD", normalized=True, single_word=True),
    AddedToken("<x>", normalized=False, special=True),
]
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]


def merges_of(letters, count, joins=lambda left, right: left + right):
    tokens, merges = list(letters), []
    while len(merges) < count:
        left, right = RANDOM.choice(tokens), RANDOM.choice(tokens)
        if (left, right) in merges or len(left + right) > 8:
            continue
        merges.append((left, right))
        if joins(left, right) not in tokens:
            tokens.append(joins(left, right))
    return tokens, merges


def bpe(letters=LETTERS, bytes_too=False, special=("<unk>", "<s>", "</s>"), **options):
    tokens, merges = merges_of([letter for letter in letters if letter != " "], 80)
    names = list(special) + (BYTES if bytes_too else []) + tokens
    vocabulary = {token: id for id, token in enumerate(names)}
    return Tokenizer(models.BPE(vocabulary, merges, unk_token="<unk>", byte_fallback=bytes_too, **options))


def byte_level_bpe(**options):
    tokens, merges = merges_of(sorted(pre.ByteLevel.alphabet()), 0)
    more, merges = merges_of(list("abcdehlnorstĠ12"), 80)
    names = tokens + [token for token in more if token not in tokens]
    return Tokenizer(models.BPE({token: id for id, token in enumerate(names)}, merges, **options))


def unigram(bytes_too=False):
    tokens, _ = merges_of([letter for letter in LETTERS if letter not in (" ", "\n")], 80)
    scored = [("<unk>", 0.0), ("<s>", 0.0), ("</s>", 0.0)] + [(byte, -20.0) for byte in BYTES if bytes_too]
    scored += [(token, -round(RANDOM.uniform(2, 9), 3)) for token in tokens]
    return Tokenizer(models.Unigram(scored, unk_id=0, byte_fallback=bytes_too))


def word_piece(**options):
    tokens, _ = merges_of([letter for letter in LETTERS if letter not in (" ", "\n")], 60)
    names = ["[UNK]", "[CLS]", "[SEP]"] + tokens + ["##" + token for token in tokens]
    return Tokenizer(models.WordPiece({token: id for id, token in enumerate(names)}, unk_token="[UNK]", **options))


def characters_map():
    """A precompiled_charsmap of a few keys: a double array in Darts-clone's format, each key a chain of units."""
    pairs = {"ﬁ": "fi", "ａ": "a", "Ⅳ": "IV", "½": "1/2", "\u00a0": " ", "\t": " ", "\n": " ", "\u200b": ""}
    blob, offsets = b"", {}
    for key, value in pairs.items():
        offsets[key] = len(blob)
        blob += value.encode() + b"\0"
    units = {0: 0}
    children = {}
    for key in pairs:
        data = key.encode()
        for end in range(len(data)):
            children.setdefault(data[:end], set()).add(data[end])
    base, free = {}, 256

    def build(prefix, place, has_leaf):
        nonlocal free
        start = free
        free += 256
        units[place] = units.get(place, 0) | ((place ^ start) << 10) | (0x100 if has_leaf else 0)
        if has_leaf:
            units[start] = 0x80000000 | offsets[prefix.decode()]
        for byte in sorted(children.get(prefix, ())):
            longer = prefix + bytes([byte])
            units[start ^ byte] = byte
            is_key = any(key.encode() == longer for key in pairs)
            build(longer, start ^ byte, is_key)

    build(b"", 0, False)
    size = max(units) + 256
    array = [units.get(place, 0) for place in range(size)]
    data = b"".join(struct.pack("<I", unit) for unit in array)
    return struct.pack("<I", len(data)) + data + blob


def made():
    spaces = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    stripped = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    llama = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    begin = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    split = pre.Split(Regex(r"(?i:'s|'t)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"), "isolated")

    yield "llama", bpe(bytes_too=True, fuse_unk=True), llama, None, stripped, begin
    yield "llama-unknown", bpe(fuse_unk=True), llama, None, stripped, begin
    yield "llama-unfused", bpe(), llama, None, None, None
    yield "metaspace-always", bpe(bytes_too=True), None, pre.Metaspace(split=False), stripped, None
    yield "metaspace-first", bpe(bytes_too=True), None, pre.Metaspace(prepend_scheme="first"), stripped, begin
    yield "metaspace-never", bpe(), None, pre.Metaspace(prepend_scheme="never"), decoders.Metaspace(), None
    yield "gemma", bpe(bytes_too=True, fuse_unk=True), normalizers.Replace(" ", "▁"), pre.Split(
        " ", "merged_with_previous"
    ), spaces, None
    yield "t5", unigram(), normalizers.Precompiled(characters_map()), pre.Sequence(
        [pre.WhitespaceSplit(), pre.Metaspace()]
    ), decoders.Metaspace(), processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 2)])
    yield "xlm-roberta", unigram(), normalizers.Sequence(
        [normalizers.Precompiled(characters_map()), normalizers.Strip(left=False), normalizers.Replace(Regex(" {2,}"), "▁")]
    ), pre.Metaspace(), decoders.Metaspace(), processors.RobertaProcessing(("</s>", 2), ("<s>", 1))
    yield "unigram-bytes", unigram(True), normalizers.NFKC(), pre.Metaspace(split=False), spaces, None
    yield "unigram-nmt", unigram(), normalizers.Sequence([normalizers.Nmt(), normalizers.NFKD()]), pre.Metaspace(), None, None
    yield "bert", word_piece(max_input_chars_per_word=6), normalizers.BertNormalizer(
        lowercase=True
    ), pre.BertPreTokenizer(), decoders.WordPiece(), processors.BertProcessing(("[SEP]", 2), ("[CLS]", 1))
    yield "accents", word_piece(), normalizers.Sequence(
        [normalizers.NFD(), normalizers.StripAccents(), normalizers.Strip(), normalizers.Lowercase()]
    ), pre.Whitespace(), decoders.WordPiece(cleanup=False), None
    yield "punctuation", word_piece(), None, pre.Sequence([pre.WhitespaceSplit(), pre.Punctuation("contiguous")]), None, None
    yield "punctuation-before", word_piece(), None, pre.Punctuation("merged_with_previous"), None, None
    yield "punctuation-behind", word_piece(), None, pre.Punctuation("merged_with_next"), None, None
    yield "delimiter", word_piece(), None, pre.CharDelimiterSplit("e"), None, None
    yield "digits", word_piece(), None, pre.Digits(False), None, None
    yield "words", word_piece(), None, pre.Split(Regex(r"\w+|\s+"), "removed", invert=True), None, None
    yield "boundaries", word_piece(), None, pre.Split(Regex(r"\b\w"), "isolated"), None, None
    yield "bytes-not-last", word_piece(), None, pre.Sequence([pre.ByteLevel(), pre.Digits(True)]), None, None
    words = {"[UNK]": 0, "a": 1, "the": 2, ".": 3, "Hello": 4, "12": 5, "don": 6, "'": 7, "t": 8, "and": 9}
    yield "word-level", Tokenizer(models.WordLevel(words, unk_token="[UNK]")), None, pre.Whitespace(), None, None
    yield "gpt2", byte_level_bpe(), None, pre.ByteLevel(add_prefix_space=False), decoders.ByteLevel(), None
    yield "gpt2-prefix", byte_level_bpe(ignore_merges=True), normalizers.NFC(), pre.ByteLevel(), decoders.ByteLevel(), None
    yield "llama3", byte_level_bpe(ignore_merges=True), None, pre.Sequence(
        [split, pre.ByteLevel(add_prefix_space=False, use_regex=False)]
    ), decoders.ByteLevel(), None
    yield "smollm", byte_level_bpe(), None, pre.Sequence(
        [pre.Digits(True), pre.ByteLevel(add_prefix_space=True)]
    ), decoders.ByteLevel(), None
    tokens, merges = merges_of(["a", "##a", "b", "##b", "##e"], 12, lambda left, right: left + right.removeprefix("##"))
    merges = [(left, right) for left, right in merges if right.startswith("##")]
    names = ["<unk>"] + sorted({t for pair in merges for t in (*pair, pair[0] + pair[1][2:])} | {"a", "##a", "b", "##b", "##e"})
    yield "prefixed", Tokenizer(
        models.BPE({t: i for i, t in enumerate(names)}, merges, unk_token="<unk>", continuing_subword_prefix="##")
    ), None, pre.Whitespace(), None, None
    clip = {t: i for i, t in enumerate(["<unk>", "a", "t", "h", "e", "a</w>", "e</w>", "th", "the</w>", "t</w>"])}
    yield "clip", Tokenizer(
        models.BPE(clip, [("t", "h"), ("th", "e</w>")], unk_token="<unk>", end_of_word_suffix="</w>")
    ), normalizers.Lowercase(), pre.Whitespace(), decoders.BPEDecoder("</w>"), None


def main():
    pipelines = []
    for name, tokenizer, normalizer, pre_tokenizer, decoder, processor in made():
        if decoder is None and isinstance(tokenizer.model, models.WordPiece):
            decoder = decoders.WordPiece()
        for part, value in (
            ("normalizer", normalizer), ("pre_tokenizer", pre_tokenizer), ("decoder", decoder), ("post_processor", processor),
        ):
            if value is not None:
                setattr(tokenizer, part, value)
        tokenizer.add_tokens(ADDED)
        cases = []
        for text in TEXTS:
            ids = tokenizer.encode(text).ids
            cases.append([ids, tokenizer.encode(text, add_special_tokens=False).ids, tokenizer.decode(ids)])
        pipelines.append({"name": name, "tokenizer": json.loads(tokenizer.to_str()), "cases": cases})
    result = {"tokenizers": tokenizers.__version__, "texts": TEXTS, "pipelines": pipelines}
    with open(sys.argv[1], "w", encoding="utf8") as out:
        json.dump(result, out, ensure_ascii=True, separators=(",", ":"))


main()
