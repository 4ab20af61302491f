"""Tiny random models of transformers' classes, saved as transformers saves them, for tests that need no real one."""

import json

WIDTH, HEADS, VOCABULARY = 32, 8, 96
COMMON = {"vocab_size": VOCABULARY, "hidden_size": WIDTH, "num_hidden_layers": 2, "num_attention_heads": HEADS,
          "max_position_embeddings": 64, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
WITH_MLP = COMMON | {"intermediate_size": 56}


def scramble(model):
    """Weights so large that errors show."""
    import torch

    draw = torch.Generator().manual_seed(7)
    for name, weight in model.named_parameters():
        random = torch.randn(weight.shape, generator=draw)
        if weight.dim() >= 2:
            weight.copy_(random * (0.5 if "emb" in name or "shared" in name else 1.2 * weight[0].numel() ** -0.5))
        else:
            weight.copy_(0.2 * random + (0 if name.endswith("bias") else 1))
    return model.eval()


def saved(folder, name, **settings):
    """A model of the class `NAME`, with the settings of its config, in a folder that is made."""
    import transformers

    kind = getattr(transformers, name)
    scramble(kind(kind.config_class(**settings))).save_pretrained(folder)
    return folder


def rewrite(folder, change=None, **settings):
    """Changes the stored tensors and the config of a saved model."""
    from safetensors.torch import load_file, save_file

    config = json.loads((folder / "config.json").read_text()) | settings
    (folder / "config.json").write_text(json.dumps(config))
    if change:
        tensors = {name: tensor.clone() for name, tensor in change(load_file(folder / "model.safetensors")).items()}
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def some_ids(length=17, first=5):
    """Token ids [2, length], none of them special."""
    import torch

    return (torch.arange(2 * length).reshape(2, length) * 37 + 11) % (VOCABULARY - first) + first


def some_images(size):
    import torch

    return torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(1))
