#include "models/architecture/families/families.hpp"

#include <nlohmann/json.hpp>

#include "models/files/json_fields.hpp"

namespace regroup::models {
namespace {

void read_granite(const nlohmann::json& config, const std::string& where, ModelConfig& out) {
  constexpr double kLargest = 1e6;
  constexpr double kTiny = 1e-6;
  out.embedding_scale = required_number(config, "embedding_multiplier", where, -kLargest, kLargest);
  out.residual_scale = required_number(config, "residual_multiplier", where, -kLargest, kLargest);
  out.attention_scale = required_number(config, "attention_multiplier", where, -kLargest, kLargest);
  out.logit_scale = 1 / required_number(config, "logits_scaling", where, kTiny, kLargest);
}

}  // namespace

ArchitectureSpec granite_architecture() {
  ArchitectureSpec spec = llama_like("GraniteForCausalLM", "granite");
  spec.base_architecture = "GraniteModel";
  spec.attention_bias = AttentionBias::kByField;
  spec.mlp_bias = MlpBias::kByField;
  spec.read_own = read_granite;
  spec.config_class = "GraniteConfig";
  spec.keys = {.read = R"({"vocab_size": 32000, "hidden_size": 4096, "intermediate_size": 11008,
"num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": null,
"hidden_act": "silu", "max_position_embeddings": 2048, "rms_norm_eps": 1e-06,
"bos_token_id": 1, "eos_token_id": 2, "tie_word_embeddings": false,
"rope_parameters": null, "attention_bias": false, "mlp_bias": false,
"embedding_multiplier": 1.0, "logits_scaling": 1.0, "residual_multiplier": 1.0,
"attention_multiplier": 1.0})",
               .neutral = R"({"num_experts": 0, "num_local_experts": 0})",
               .ignored = "attention_dropout initializer_range pad_token_id use_cache"};
  return spec;
}

}  // namespace regroup::models
