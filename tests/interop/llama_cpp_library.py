"""libllama of llama.cpp 0.5.0 through ctypes: what the tests need of its llama.h.

The folder in REGROUP_LLAMA_CPP holds the libraries, as npm's @node-llama-cpp/linux-x64 brings them. Structures are those
of this version alone: their defaults are compared with what llama.h says, so another version fails at once.
"""

import ctypes
import os
import pathlib
from ctypes import POINTER, c_bool, c_char_p, c_float, c_int8, c_int32, c_size_t, c_uint32, c_void_p

VERSION = "0.5.0"
FOLDER = pathlib.Path(os.environ["REGROUP_LLAMA_CPP"])
GGML_TYPE_COUNT = 43
LogCallback = ctypes.CFUNCTYPE(None, c_int32, c_char_p, c_void_p)


def fields(*runs):
    """Fields of a structure, from runs of one type: (type, "name name …")."""
    return [(name, kind) for kind, names in runs for name in names.split()]


class ModelParameters(ctypes.Structure):
    _fields_ = fields(
        (c_void_p, "devices tensor_buft_overrides"),
        (c_int32, "n_gpu_layers split_mode load_mode lazy_mode main_gpu"),
        (c_void_p, "tensor_split progress_callback progress_callback_user_data kv_overrides"),
        (c_bool, "vocab_only check_tensors use_extra_bufts no_host no_alloc load_mtp"))
    defaults = {"n_gpu_layers": -1, "split_mode": 1, "load_mode": -1, "lazy_mode": 1, "use_extra_bufts": True}


class ContextParameters(ctypes.Structure):
    _fields_ = fields(
        (c_uint32, "n_ctx n_batch n_ubatch n_seq_max n_rs_seq n_outputs_max n_outputs_max_per_seq"),
        (c_int32, "n_threads n_threads_batch ctx_type rope_scaling_type pooling_type attention_type flash_attn_type"),
        (c_float, "rope_freq_base rope_freq_scale yarn_ext_factor yarn_attn_factor yarn_beta_fast yarn_beta_slow"),
        (c_uint32, "yarn_orig_ctx"),
        (c_float, "defrag_thold"),
        (c_void_p, "cb_eval cb_eval_user_data"),
        (c_int32, "type_k type_v"),
        (c_void_p, "abort_callback abort_callback_data"),
        (c_bool, "embeddings offload_kqv no_perf op_offload swa_full kv_unified"),
        (c_void_p, "samplers"),
        (c_size_t, "n_samplers"),
        (c_void_p, "ctx_other"))
    defaults = {"n_ctx": 512, "n_batch": 2048, "n_ubatch": 512, "n_seq_max": 1, "n_outputs_max_per_seq": 1, "n_threads": 4,
                "n_threads_batch": 4, "rope_scaling_type": -1, "pooling_type": -1, "attention_type": -1,
                "flash_attn_type": -1, "yarn_ext_factor": -1, "yarn_attn_factor": -1, "yarn_beta_fast": -1,
                "yarn_beta_slow": -1, "defrag_thold": -1, "type_k": 1, "type_v": 1, "offload_kqv": True, "no_perf": True,
                "op_offload": True, "swa_full": True}


class QuantizeParameters(ctypes.Structure):
    _fields_ = fields(
        (c_int32, "nthread ftype output_tensor_type token_embedding_type"),
        (c_bool, "allow_requantize quantize_output_tensor only_copy pure keep_split dry_run"),
        (c_void_p, "imatrix kv_overrides tt_overrides prune_layers"),
        (c_size_t, "max_buf_size"))
    defaults = {"ftype": 7, "output_tensor_type": GGML_TYPE_COUNT, "token_embedding_type": GGML_TYPE_COUNT,
                "quantize_output_tensor": True, "max_buf_size": 8 << 30}


class Batch(ctypes.Structure):
    _fields_ = [("n_tokens", c_int32), ("token", POINTER(c_int32)), ("embd", POINTER(c_float)), ("pos", POINTER(c_int32)),
                ("n_seq_id", POINTER(c_int32)), ("seq_id", POINTER(POINTER(c_int32))), ("logits", POINTER(c_int8))]


# {function: (result, arguments)}
FUNCTIONS = {
    "llama_version": (c_char_p, []),
    "llama_log_set": (None, [LogCallback, c_void_p]),
    "llama_model_default_params": (ModelParameters, []),
    "llama_context_default_params": (ContextParameters, []),
    "llama_model_quantize_default_params": (QuantizeParameters, []),
    "llama_model_load_from_file": (c_void_p, [c_char_p, ModelParameters]),
    "llama_model_free": (None, [c_void_p]),
    "llama_model_get_vocab": (c_void_p, [c_void_p]),
    "llama_model_n_ctx_train": (c_int32, [c_void_p]),
    "llama_model_quantize": (c_uint32, [c_char_p, c_char_p, POINTER(QuantizeParameters)]),
    "llama_vocab_n_tokens": (c_int32, [c_void_p]),
    "llama_tokenize": (c_int32, [c_void_p, c_char_p, c_int32, POINTER(c_int32), c_int32, c_bool, c_bool]),
    "llama_init_from_model": (c_void_p, [c_void_p, ContextParameters]),
    "llama_free": (None, [c_void_p]),
    "llama_get_memory": (c_void_p, [c_void_p]),
    "llama_memory_clear": (None, [c_void_p, c_bool]),
    "llama_batch_init": (Batch, [c_int32, c_int32, c_int32]),
    "llama_batch_free": (None, [Batch]),
    "llama_decode": (c_int32, [c_void_p, Batch]),
    "llama_get_logits": (POINTER(c_float), [c_void_p]),
}

log = []  # what llama.cpp says, in pieces


@LogCallback
def _remember(level, text, user_data):
    del level, user_data
    log.append(text.decode(errors="replace"))


def _check_structure(default):
    found = {name: value for name, _ in default._fields_ if (value := getattr(default, name))}
    assert found == default.defaults, f"{type(default).__name__} is another one than llama.cpp {VERSION}'s: {found}"


def _load():
    ggml = ctypes.CDLL(str(FOLDER / f"libggml.v{VERSION}.so"))
    library = ctypes.CDLL(str(FOLDER / f"libllama.v{VERSION}.so"))
    for name, (result, arguments) in FUNCTIONS.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    version = library.llama_version().decode()
    assert version.split("-")[0] == VERSION, f"llama.cpp {version}, not {VERSION}"
    library.llama_log_set(_remember, None)
    ggml.ggml_backend_load_all_from_path(str(FOLDER).encode())
    for parameters in ("model", "context", "model_quantize"):
        _check_structure(getattr(library, f"llama_{parameters}_default_params")())
    return library


llama = _load()
