"""A GGUF file in llama.cpp, through the functions of its own C interface (llama-cpp-python, unmodified)."""

import ctypes
import re

import llama_cpp
import numpy

F32, F16, Q4_0, Q8_0 = 0, 1, 2, 8  # GGML_TYPE_…
FLASH_OFF, FLASH_ON = 0, 1  # LLAMA_FLASH_ATTN_TYPE_…

_log = []


@llama_cpp.llama_log_callback
def _remember(level, text, user_data):
    del level, user_data
    _log.append(text.decode(errors="replace"))


class LlamaCppModel:
    """One file, loaded on the CPU. What llama.cpp says while it loads is in `log`."""

    def __init__(self, file):
        llama_cpp.llama_log_set(_remember, ctypes.c_void_p(0))
        _log.clear()
        parameters = llama_cpp.llama_model_default_params()
        parameters.n_gpu_layers = 0
        self.model = llama_cpp.llama_model_load_from_file(str(file).encode(), parameters)
        self.log = "".join(_log)
        assert self.model, f"llama.cpp does not load {file}:\n{self.log}"
        self.vocabulary = llama_cpp.llama_model_get_vocab(self.model)
        self.context = None

    def close(self):
        self._free_context()
        llama_cpp.llama_model_free(self.model)

    def _free_context(self):
        if self.context:
            llama_cpp.llama_free(self.context)
        self.context = None

    def open_context(self, tokens, cache_type, flash):
        """A context for so many tokens; returns what llama.cpp says of it."""
        self._free_context()
        _log.clear()
        parameters = llama_cpp.llama_context_default_params()
        parameters.n_ctx = parameters.n_batch = parameters.n_ubatch = tokens
        parameters.n_threads = parameters.n_threads_batch = 2
        parameters.type_k = parameters.type_v = cache_type
        parameters.flash_attn_type = flash
        self.context = llama_cpp.llama_init_from_model(self.model, parameters)
        assert self.context, "llama.cpp makes no context:\n" + "".join(_log)
        return "".join(_log)

    def cache_mib(self, tokens, cache_type=F16, flash=FLASH_ON):
        """MiB of keys and of values that llama.cpp says it holds for so many tokens."""
        log = self.open_context(tokens, cache_type, flash)
        found = re.search(r"size =\s*[\d.]+ MiB \(\s*(\d+) cells.*K \(\w+\):\s*([\d.]+) MiB, V \(\w+\):\s*([\d.]+) MiB", log)
        assert found and int(found[1]) == tokens, log
        return float(found[2]), float(found[3])

    def tokens(self, text, special=True, parse=False):
        """Ids of a text; `parse`: special tokens are found in it."""
        data = text.encode()
        ids = (ctypes.c_int32 * (len(data) + 8))()
        count = llama_cpp.llama_tokenize(self.vocabulary, data, len(data), ids, len(ids), special, parse)
        assert count >= 0
        return list(ids[:count])

    def logits(self, ids):
        """Logits [tokens, vocabulary] of one text in an empty cache."""
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(self.context), True)
        batch = llama_cpp.llama_batch_init(len(ids), 0, 1)
        batch.n_tokens = len(ids)
        for place, token in enumerate(ids):
            batch.token[place] = int(token)
            batch.pos[place] = place
            batch.n_seq_id[place] = 1
            batch.seq_id[place][0] = 0
            batch.logits[place] = 1
        code = llama_cpp.llama_decode(self.context, batch)
        llama_cpp.llama_batch_free(batch)
        assert code == 0, f"llama_decode gives {code}"
        size = llama_cpp.llama_vocab_n_tokens(self.vocabulary)
        return numpy.ctypeslib.as_array(llama_cpp.llama_get_logits(self.context), (len(ids), size)).astype(numpy.float64)

    def loss(self, ids, window):
        """Mean loss of the next token, nats: windows of so many tokens, each in an empty cache."""
        losses = []
        for begin in range(0, len(ids) - window, window):
            logits = self.logits(ids[begin:begin + window])
            logits -= logits.max(axis=1, keepdims=True)
            targets = numpy.asarray(ids[begin + 1:begin + window + 1])
            losses.append(numpy.log(numpy.exp(logits).sum(axis=1)) - logits[numpy.arange(window), targets])
        return float(numpy.mean(losses))
