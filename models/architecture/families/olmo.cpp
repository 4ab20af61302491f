#include "models/architecture/families/families.hpp"

#include <nlohmann/json.hpp>

#include "models/files/json_fields.hpp"

namespace regroup::models {
namespace {

void read_clip(const nlohmann::json& config, const std::string& where, ModelConfig& out) {
  constexpr double kTiny = 1e-6;
  constexpr double kLargest = 1e6;
  out.projection_clip = optional_number(config, "clip_qkv", where, kTiny, kLargest);
}

void read_olmoe(const nlohmann::json& config, const std::string& where, ModelConfig& out) {
  read_clip(config, where, out);
  out.experts = read_experts(config, "num_experts", "intermediate_size", where);
  out.experts.normalises = required_bool(config, "norm_topk_prob", where);
}

}  // namespace

ArchitectureSpec olmo_architecture() {
  ArchitectureSpec spec = llama_like("OlmoForCausalLM", "olmo");
  spec.base_architecture = "OlmoModel";
  spec.fields.norm_epsilon = "";
  spec.norm = NormKind::kBareLayerNorm;
  spec.attention_bias = AttentionBias::kByField;
  spec.read_own = read_clip;
  spec.merge_limit = "with clip_qkv projections are kept within a range, which no rotation passes";
  spec.config_class = "OlmoConfig";
  spec.keys = {.read = R"({"vocab_size": 50304, "hidden_size": 4096, "intermediate_size": 11008,
"num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": null,
"hidden_act": "silu", "max_position_embeddings": 2048, "bos_token_id": null,
"eos_token_id": 50279, "tie_word_embeddings": false, "rope_parameters": null,
"attention_bias": false, "clip_qkv": null})",
               .neutral = R"({"num_experts": 0, "num_local_experts": 0})",
               .ignored = "attention_dropout initializer_range pad_token_id use_cache"};
  return spec;
}

ArchitectureSpec olmo2_architecture() {
  ArchitectureSpec spec = llama_like("Olmo2ForCausalLM", "olmo2");
  spec.base_architecture = "Olmo2Model";
  // What a block adds is normed, not what it reads.
  spec.layer.attention_norm = "";
  spec.layer.attention_branch_norm = "model.layers.{}.post_attention_layernorm";
  spec.layer.mlp_norm = "";
  spec.layer.mlp_branch_norm = "model.layers.{}.post_feedforward_layernorm";
  spec.layer.query_norm = "model.layers.{}.self_attn.q_norm";
  spec.layer.key_norm = "model.layers.{}.self_attn.k_norm";
  spec.query_key_norm = QueryKeyNorm::kWhole;
  spec.attention_bias = AttentionBias::kByField;
  spec.merge_limit = "one norm runs over all heads, which no factor of a head passes";
  spec.config_class = "Olmo2Config";
  spec.keys = {.read = R"({"vocab_size": 50304, "hidden_size": 4096, "intermediate_size": 11008,
"num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": null,
"hidden_act": "silu", "max_position_embeddings": 2048, "bos_token_id": null,
"eos_token_id": 50279, "tie_word_embeddings": false, "rope_parameters": null,
"attention_bias": false, "rms_norm_eps": 1e-05})",
               .neutral = R"({"num_experts": 0, "num_local_experts": 0})",
               .ignored = "attention_dropout initializer_range pad_token_id use_cache"};
  return spec;
}

ArchitectureSpec olmoe_architecture() {
  ArchitectureSpec spec = llama_like("OlmoeForCausalLM", "olmoe");
  spec.base_architecture = "OlmoeModel";
  spec.layer.query_norm = "model.layers.{}.self_attn.q_norm";
  spec.layer.key_norm = "model.layers.{}.self_attn.k_norm";
  set_experts(spec);
  spec.query_key_norm = QueryKeyNorm::kWhole;
  spec.attention_bias = AttentionBias::kByField;
  spec.read_own = read_olmoe;
  spec.merge_limit = "one norm runs over all heads, which no factor of a head passes";
  spec.config_class = "OlmoeConfig";
  spec.keys = {.read = R"({"vocab_size": 50304, "hidden_size": 2048, "intermediate_size": 2048,
"num_hidden_layers": 16, "num_attention_heads": 16, "num_key_value_heads": null,
"hidden_act": "silu", "max_position_embeddings": 4096, "rms_norm_eps": 1e-05,
"bos_token_id": null, "eos_token_id": 50279, "tie_word_embeddings": false,
"rope_parameters": null, "attention_bias": false, "clip_qkv": null,
"num_experts_per_tok": 8, "num_experts": 64, "norm_topk_prob": false})",
               .ignored =
                   "attention_dropout initializer_range output_router_logits pad_token_id "
                   "router_aux_loss_coef use_cache"};
  return spec;
}

}  // namespace regroup::models
