#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "models/architecture/architecture_spec.hpp"

namespace regroup::models {

/// Llama 1 to 3: RMSNorm, rotary positions, gated SiLU MLP, grouped-query attention.
ArchitectureSpec llama_architecture();

/// What Llama and the families that followed its plan have in common, under another name.
ArchitectureSpec llama_like(std::string_view architecture);

/// Mistral (arXiv 2310.06825): Llama with a sliding window over the attention of every layer, where
/// the config has one.
ArchitectureSpec mistral_architecture();

/// Qwen2 (arXiv 2407.10671): Llama with biases of queries, keys and values, and on request a
/// sliding window in its later layers.
ArchitectureSpec qwen2_architecture();

/// Qwen3: query and key norms, head_dim of its own.
ArchitectureSpec qwen3_architecture();

/// GPT-2: fused projections stored [in, out], learned positions.
ArchitectureSpec gpt2_architecture();

/// OPT: learned positions with an offset.
ArchitectureSpec opt_architecture();

/// GPT-NeoX and Pythia: projections fused head by head, partial rotary embedding, parallel
/// residual.
ArchitectureSpec gpt_neox_architecture();

/// BERT: an encoder with post-norm.
ArchitectureSpec bert_architecture();

/// ViT: an encoder of image patches.
ArchitectureSpec vit_architecture();

/// T5: encoder and decoder with relative position biases.
ArchitectureSpec t5_architecture();

/// The family of a checkpoint's config.json, of one with heads by layer that of its source
/// ("base_architecture"); throws InputError naming the architecture found and
/// the supported ones. `where` names the file in messages.
const ArchitectureSpec& find_architecture(const nlohmann::json& config, const std::string& where);

}  // namespace regroup::models
