"""A GGUF file in llama.cpp, by the functions of its C interface."""

import re

import numpy

from llama_cpp_library import llama, log

F32, F16, Q4_0, Q8_0 = 0, 1, 2, 8  # GGML_TYPE_…
FLASH_OFF, FLASH_ON = 0, 1  # LLAMA_FLASH_ATTN_TYPE_…
FILE_TYPES = {"Q4_0": 2, "Q4_1": 3, "Q8_0": 7, "Q5_0": 8, "Q5_1": 9, "Q4_K_M": 15, "Q5_K_M": 17, "Q6_K": 18}  # LLAMA_FTYPE_…
THREADS = 1  # of tiny models; more would wait for each other


def quantize(source, target, file_type):
    """Writes a file of floats in blocks, as llama-quantize does."""
    log.clear()
    parameters = llama.llama_model_quantize_default_params()
    parameters.nthread, parameters.ftype = THREADS, FILE_TYPES[file_type]
    code = llama.llama_model_quantize(str(source).encode(), str(target).encode(), parameters)
    assert code == 0, f"llama.cpp does not quantize {source}:\n" + "".join(log)


class LlamaCppModel:
    """One file, loaded on the CPU. What llama.cpp says while it loads is in `log`."""

    def __init__(self, file):
        log.clear()
        parameters = llama.llama_model_default_params()
        parameters.n_gpu_layers = 0
        self.model = llama.llama_model_load_from_file(str(file).encode(), parameters)
        self.log = "".join(log)
        assert self.model, f"llama.cpp does not load {file}:\n{self.log}"
        self.vocabulary = llama.llama_model_get_vocab(self.model)
        self.trained_context = llama.llama_model_n_ctx_train(self.model)
        self.context = None

    def close(self):
        self._free_context()
        llama.llama_model_free(self.model)

    def _free_context(self):
        if self.context:
            llama.llama_free(self.context)
        self.context = None

    def open_context(self, tokens, cache_type=F32, flash=FLASH_OFF):
        """A context for so many tokens, by default the exact one; returns what llama.cpp says of it."""
        self._free_context()
        log.clear()
        parameters = llama.llama_context_default_params()
        parameters.n_ctx = parameters.n_batch = parameters.n_ubatch = tokens
        parameters.n_threads = parameters.n_threads_batch = THREADS
        parameters.type_k = parameters.type_v = cache_type
        parameters.flash_attn_type = flash
        self.context = llama.llama_init_from_model(self.model, parameters)
        assert self.context, "llama.cpp makes no context:\n" + "".join(log)
        return "".join(log)

    def cache_mib(self, tokens, cache_type=F16, flash=FLASH_ON):
        """MiB of keys and of values, to two decimals, that llama.cpp says it allocates for so many tokens."""
        said = self.open_context(tokens, cache_type, flash)
        found = re.findall(r"size =\s*[\d.]+ MiB \(\s*(\d+) cells.*K \(\w+\):\s*([\d.]+) MiB, V \(\w+\):\s*([\d.]+) MiB", said)
        assert found and all(int(cells) == tokens for cells, _, _ in found), said
        return sum(float(keys) for _, keys, _ in found), sum(float(values) for _, _, values in found)

    def tokens(self, text, special=True, parse=False):
        """Ids of a text; `parse`: special tokens are found in it."""
        data = text.encode()
        ids = numpy.empty(len(data) + 8, numpy.int32)
        count = llama.llama_tokenize(self.vocabulary, data, len(data), numpy.ctypeslib.as_ctypes(ids), len(ids), special, parse)
        assert count >= 0
        return ids[:count].tolist()

    def logits(self, ids):
        """Logits [tokens, vocabulary] of one text in an empty cache."""
        llama.llama_memory_clear(llama.llama_get_memory(self.context), True)
        return self._next_logits(ids, 0)

    def _next_logits(self, ids, first):
        """Logits of the tokens at the positions from `first` on."""
        batch = llama.llama_batch_init(len(ids), 0, 1)
        batch.n_tokens = len(ids)
        for place, token in enumerate(ids):
            batch.token[place] = int(token)
            batch.pos[place] = first + place
            batch.n_seq_id[place] = 1
            batch.seq_id[place][0] = 0
            batch.logits[place] = 1
        code = llama.llama_decode(self.context, batch)
        llama.llama_batch_free(batch)
        assert code == 0, f"llama_decode gives {code}"
        size = llama.llama_vocab_n_tokens(self.vocabulary)
        return numpy.ctypeslib.as_array(llama.llama_get_logits(self.context), (len(ids), size)).astype(numpy.float64)

    def greedy(self, ids, count):
        """The `count` most probable next tokens, one after another."""
        written = []
        logits = self.logits(ids)
        while len(written) < count:
            written.append(int(logits[-1].argmax()))
            logits = self._next_logits(written[-1:], len(ids) + len(written) - 1)
        return written

    def loss(self, ids, window):
        """Mean loss of the next token, nats: windows of so many tokens, each in an empty cache."""
        losses = []
        for begin in range(0, len(ids) - window, window):
            logits = self.logits(ids[begin:begin + window])
            logits -= logits.max(axis=1, keepdims=True)
            targets = numpy.asarray(ids[begin + 1:begin + window + 1])
            losses.append(numpy.log(numpy.exp(logits).sum(axis=1)) - logits[numpy.arange(window), targets])
        return float(numpy.mean(losses))
