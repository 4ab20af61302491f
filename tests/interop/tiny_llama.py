"""A random Llama as a Hugging Face directory, for tests that need no real one."""

import json

import numpy

from safetensors_file import write_tensors


def write_tiny_llama(folder, vocabulary, width=32, mlp=32, layers=1, heads=4, context=256):
    """Makes the folder; returns it."""
    folder.mkdir()
    config = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": width, "intermediate_size": mlp,
              "num_hidden_layers": layers, "num_attention_heads": heads, "num_key_value_heads": heads,
              "vocab_size": vocabulary, "max_position_embeddings": context, "rms_norm_eps": 1e-5, "hidden_act": "silu",
              "tie_word_embeddings": True}
    (folder / "config.json").write_text(json.dumps(config))
    draw = numpy.random.default_rng(1)
    shapes = {"model.embed_tokens": (vocabulary, width), "model.norm": (width,)}
    for layer in range(layers):
        for module, shape in {
                "self_attn.q_proj": (width, width), "self_attn.k_proj": (width, width), "self_attn.v_proj": (width, width),
                "self_attn.o_proj": (width, width), "mlp.gate_proj": (mlp, width), "mlp.up_proj": (mlp, width),
                "mlp.down_proj": (width, mlp), "input_layernorm": (width,), "post_attention_layernorm": (width,)}.items():
            shapes[f"model.layers.{layer}.{module}"] = shape
    tensors = {f"{name}.weight": draw.normal(0, 1 / numpy.sqrt(width), shape).astype(numpy.float32) + (len(shape) == 1)
               for name, shape in shapes.items()}
    write_tensors(folder / "model.safetensors", tensors)
    return folder
