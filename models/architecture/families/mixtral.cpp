#include "models/architecture/families/families.hpp"

#include <nlohmann/json.hpp>

#include "models/files/json_fields.hpp"

namespace regroup::models {
namespace {

void read_mixtral(const nlohmann::json& config, const std::string& where, ModelConfig& out) {
  out.experts = read_experts(config, "num_local_experts", "intermediate_size", where);
  out.experts.normalises = true;
}

}  // namespace

ArchitectureSpec mixtral_architecture() {
  constexpr double kTheta = 1e6;
  ArchitectureSpec spec = llama_like("MixtralForCausalLM", "mixtral");
  spec.base_architecture = "MixtralModel";
  spec.layer.router = "model.layers.{}.block_sparse_moe.gate";
  spec.layer.expert_gate = "model.layers.{}.block_sparse_moe.experts.{}.w1";
  spec.layer.expert_up = "model.layers.{}.block_sparse_moe.experts.{}.w3";
  spec.layer.expert_down = "model.layers.{}.block_sparse_moe.experts.{}.w2";
  spec.rotary_defaults.theta = kTheta;
  spec.sliding_window = SlidingWindow::kAllLayers;
  spec.read_own = read_mixtral;
  spec.config_class = "MixtralConfig";
  spec.keys = {.read = R"({"vocab_size": 32000, "hidden_size": 4096, "intermediate_size": 14336,
"num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8,
"head_dim": null, "hidden_act": "silu", "max_position_embeddings": 131072,
"rms_norm_eps": 1e-05, "bos_token_id": 1, "eos_token_id": 2, "tie_word_embeddings":
false, "sliding_window": null, "num_experts_per_tok": 2, "num_local_experts": 8,
"rope_parameters": null})",
               .neutral = R"({"attention_bias": false, "mlp_bias": false})",
               .ignored =
                   "attention_dropout initializer_range output_router_logits pad_token_id "
                   "router_aux_loss_coef router_jitter_noise use_cache"};
  return spec;
}

}  // namespace regroup::models
