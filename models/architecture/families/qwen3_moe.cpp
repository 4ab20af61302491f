#include "models/architecture/families/families.hpp"

#include <nlohmann/json.hpp>

#include "models/files/json_fields.hpp"

namespace regroup::models {
namespace {

/// Layers with a feed-forward block of their own: those of "mlp_only_layers", and all but every
/// "decoder_sparse_step"-th.
std::vector<bool> read_dense_layers(const nlohmann::json& config, const std::string& where,
                                    int layers) {
  const auto step = required_int(config, "decoder_sparse_step", where, 1, layers);
  std::vector<bool> dense;
  for (int layer = 0; layer < layers; ++layer) dense.push_back((layer + 1) % step != 0);
  const nlohmann::json* listed = optional_array(config, "mlp_only_layers", where);
  if (listed == nullptr) return dense;
  for (const nlohmann::json& layer : *listed) {
    const auto at = checked_int(layer, field_of(where, "mlp_only_layers"), 0, layers - 1);
    dense[static_cast<std::size_t>(at)] = true;
  }
  return dense;
}

void read_qwen3_moe(const nlohmann::json& config, const std::string& where, ModelConfig& out) {
  out.experts = read_experts(config, "num_experts", "moe_intermediate_size", where);
  out.experts.normalises = required_bool(config, "norm_topk_prob", where);
  out.experts.dense_layers = read_dense_layers(config, where, out.layers);
}

}  // namespace

void set_experts(ArchitectureSpec& spec) {
  spec.layer.router = "model.layers.{}.mlp.gate";
  spec.layer.expert_gate = "model.layers.{}.mlp.experts.{}.gate_proj";
  spec.layer.expert_up = "model.layers.{}.mlp.experts.{}.up_proj";
  spec.layer.expert_down = "model.layers.{}.mlp.experts.{}.down_proj";
}

ExpertsConfig read_experts(const nlohmann::json& config, std::string_view count,
                           std::string_view width, const std::string& where) {
  constexpr std::int64_t kMostExperts = 65536;
  constexpr std::int64_t kLargestWidth = std::int64_t{1} << 24;
  ExpertsConfig experts;
  experts.count = static_cast<int>(required_int(config, count, where, 1, kMostExperts));
  experts.per_token =
      static_cast<int>(required_int(config, "num_experts_per_tok", where, 1, experts.count));
  experts.width = static_cast<int>(required_int(config, width, where, 1, kLargestWidth));
  return experts;
}

ArchitectureSpec qwen3_moe_architecture() {
  ArchitectureSpec spec = qwen3_architecture();
  spec.architecture = "Qwen3MoeForCausalLM";
  spec.model_type = "qwen3_moe";
  spec.base_architecture = "Qwen3MoeModel";
  set_experts(spec);
  spec.sliding_window = SlidingWindow::kAllByFlag;
  spec.read_own = read_qwen3_moe;
  spec.config_class = "Qwen3MoeConfig";
  spec.keys = {.read = R"({"vocab_size": 151936, "hidden_size": 2048, "intermediate_size": 6144,
"num_hidden_layers": 24, "num_attention_heads": 32, "num_key_value_heads": 4,
"hidden_act": "silu", "max_position_embeddings": 32768, "rms_norm_eps": 1e-06,
"tie_word_embeddings": false, "rope_parameters": null, "attention_bias": false,
"use_sliding_window": false, "sliding_window": 4096, "decoder_sparse_step": 1,
"moe_intermediate_size": 768, "num_experts_per_tok": 8, "num_experts": 128,
"norm_topk_prob": false, "mlp_only_layers": null, "bos_token_id": null,
"eos_token_id": null})",
               .neutral = R"({"mlp_bias": false})",
               .ignored =
                   "attention_dropout initializer_range layer_types max_window_layers "
                   "output_router_logits pad_token_id router_aux_loss_coef use_cache"};
  spec.keys.other_names = {{"num_local_experts", "num_experts"}};
  return spec;
}

}  // namespace regroup::models
