#include "models/architecture/families/families.hpp"

#include <nlohmann/json.hpp>

#include "models/files/json_fields.hpp"

namespace regroup::models {
namespace {

void read_stablelm(const nlohmann::json& config, const std::string& where, ModelConfig& out) {
  if (!required_bool(config, "use_parallel_residual", where)) return;
  out.order = ResidualOrder::kParallel;
  out.shares_norm = true;
}

}  // namespace

ArchitectureSpec stablelm_architecture() {
  constexpr double kPart = 0.25;
  ArchitectureSpec spec = llama_like("StableLmForCausalLM", "stablelm");
  spec.base_architecture = "StableLmModel";
  spec.fields.norm_epsilon = "layer_norm_eps";
  spec.fields.attention_bias = "use_qkv_bias";
  spec.norm = NormKind::kLayerNorm;
  spec.rotary = RotaryKind::kPartial;
  spec.rotary_defaults.part = kPart;
  spec.attention_bias = AttentionBias::kInputsByField;
  spec.read_own = read_stablelm;
  spec.config_class = "StableLmConfig";
  spec.keys = {
      .read = R"({"vocab_size": 50304, "intermediate_size": 6912, "hidden_size": 2560,
"num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 32,
"hidden_act": "silu", "max_position_embeddings": 4096, "layer_norm_eps": 1e-05,
"tie_word_embeddings": false, "rope_parameters": null, "use_qkv_bias": false,
"use_parallel_residual": false, "bos_token_id": 0, "eos_token_id": 0})",
      .neutral = R"({"num_experts": 0, "num_local_experts": 0, "qk_layernorm": false})",
      .ignored = "attention_dropout hidden_dropout initializer_range pad_token_id use_cache"};
  return spec;
}

}  // namespace regroup::models
