#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "models/architecture/architecture_spec.hpp"

namespace regroup::models {

/// Llama 1 to 3: RMSNorm, rotary positions, gated SiLU MLP, grouped-query attention.
ArchitectureSpec llama_architecture();

/// What Llama and the families that followed its plan have in common, under another name.
ArchitectureSpec llama_like(std::string_view architecture, std::string_view model_type);

/// Mistral (arXiv 2310.06825): Llama with a sliding window over the attention of every layer, where
/// the config has one.
ArchitectureSpec mistral_architecture();

/// Qwen2 (arXiv 2407.10671): Llama with biases of queries, keys and values, and on request a
/// sliding window in its later layers.
ArchitectureSpec qwen2_architecture();

/// Qwen3: query and key norms, head_dim of its own.
ArchitectureSpec qwen3_architecture();

/// Granite (IBM): Llama with scales of the embedding, of what a block adds, of attention and
/// logits.
ArchitectureSpec granite_architecture();

/// SmolLM3: Llama with some layers without rotary embedding.
ArchitectureSpec smollm3_architecture();

/// Gemma (arXiv 2403.08295): weights of norms less 1, scaled embedding.
ArchitectureSpec gemma_architecture();

/// Gemma 2 (arXiv 2408.00118): norms before and after each block, soft caps, every second layer
/// with a sliding window.
ArchitectureSpec gemma2_architecture();

/// Gemma 3 (arXiv 2503.19786): Gemma 2 with norms of queries and keys, and another rotary base in
/// layers with a window.
ArchitectureSpec gemma3_architecture();

/// OLMo (arXiv 2402.00838): LayerNorm without weights, clipped projections.
ArchitectureSpec olmo_architecture();

/// OLMo 2 (arXiv 2501.00656): norms of what a block adds, one norm over all queries and one over
/// all keys.
ArchitectureSpec olmo2_architecture();

/// OLMoE (arXiv 2409.02060): sparse experts, OLMo 2's norms of queries and keys.
ArchitectureSpec olmoe_architecture();

/// Mixtral (arXiv 2401.04088): Mistral with sparse experts.
ArchitectureSpec mixtral_architecture();

/// Qwen3 with sparse experts.
ArchitectureSpec qwen3_moe_architecture();

/// StarCoder2 (arXiv 2402.19173): LayerNorm, biases, a feed-forward block without a gate.
ArchitectureSpec starcoder2_architecture();

/// StableLM: LayerNorm, partial rotary embedding, blocks side by side on request.
ArchitectureSpec stablelm_architecture();

/// Phi 1 and 2: one LayerNorm for attention and feed-forward side by side, partial rotary
/// embedding.
ArchitectureSpec phi_architecture();

/// Phi-3 (arXiv 2404.14219): Llama with fused projections.
ArchitectureSpec phi3_architecture();

/// GPT-2: fused projections stored [in, out], learned positions.
ArchitectureSpec gpt2_architecture();

/// GPT-J: one LayerNorm for attention and feed-forward side by side, rotary embedding of
/// neighbouring rows.
ArchitectureSpec gptj_architecture();

/// GPT-Neo: learned positions, every second layer with a window, logits that are not scaled.
ArchitectureSpec gpt_neo_architecture();

/// OPT: learned positions with an offset.
ArchitectureSpec opt_architecture();

/// GPT-NeoX and Pythia: projections fused head by head, partial rotary embedding, parallel
/// residual.
ArchitectureSpec gpt_neox_architecture();

/// BLOOM (arXiv 2211.05100): ALiBi, projections fused head by head.
ArchitectureSpec bloom_architecture();

/// MPT: ALiBi, fused projections, no biases at all.
ArchitectureSpec mpt_architecture();

/// Falcon (arXiv 2311.16867): ALiBi or rotary embedding, one KV head, several or all.
ArchitectureSpec falcon_architecture();

/// BERT: an encoder with post-norm.
ArchitectureSpec bert_architecture();

/// RoBERTa (arXiv 1907.11692): BERT whose positions begin behind the padding's.
ArchitectureSpec roberta_architecture();

/// DistilBERT (arXiv 1910.01108): BERT without token types.
ArchitectureSpec distilbert_architecture();

/// The same three with a head that finds a text's class: a dense layer of the first token's state,
/// tanh (DistilBERT: ReLU), and a row for each class.
ArchitectureSpec bert_classifier_architecture();
ArchitectureSpec roberta_classifier_architecture();
ArchitectureSpec distilbert_classifier_architecture();

/// ViT: an encoder of image patches.
ArchitectureSpec vit_architecture();

/// DINOv2 (arXiv 2304.07193): ViT with a scale of each channel that a block adds.
ArchitectureSpec dinov2_architecture();

/// T5: encoder and decoder with relative position biases.
ArchitectureSpec t5_architecture();

/// BART (arXiv 1910.13461): encoder and decoder with post-norm and learned positions.
ArchitectureSpec bart_architecture();

/// M2M-100 (arXiv 2010.11125): BART with pre-norm and sinusoidal positions.
ArchitectureSpec m2m100_architecture();

/// Marian: BART with sinusoidal positions and no norm of the embedding.
ArchitectureSpec marian_architecture();

/// Whisper (arXiv 2212.04356): the encoder reads the features of a sound.
ArchitectureSpec whisper_architecture();

/// ALiBi's slopes of so many heads: 2^(−8i/n), i = 1 … n, for the largest power of two n that is
/// not more, then every second one of the next power.
std::vector<double> alibi_slopes(int heads);

/// The names of Qwen3 MoE's and OLMoE's experts.
void set_experts(ArchitectureSpec& spec);
/// The experts of a config.json, whose fields for their number and width are called so. Throws
/// InputError.
ExpertsConfig read_experts(const nlohmann::json& config, std::string_view count,
                           std::string_view width, const std::string& where);

/// Every supported family.
const std::vector<ArchitectureSpec>& families();

/// The family of a checkpoint's config.json, of one with heads by layer that of its source
/// ("base_architecture"), with a head or without, and where no architecture is named the one of its
/// "model_type"; throws InputError naming what was found and the supported ones. `where` names the
/// file in messages.
const ArchitectureSpec& find_architecture(const nlohmann::json& config, const std::string& where);

}  // namespace regroup::models
