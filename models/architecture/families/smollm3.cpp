#include "models/architecture/families/families.hpp"

#include <nlohmann/json.hpp>

#include "models/files/json_fields.hpp"

namespace regroup::models {
namespace {

constexpr double kSmolTheta = 2e6;
constexpr int kSmolInterval = 4;
constexpr std::int64_t kLargestInterval = 1 << 12;

/// Layers without rotary embedding: those that "no_rope_layers" has a 0 for, else every n-th.
void read_smollm3(const nlohmann::json& config, const std::string& where, ModelConfig& out) {
  const int interval =
      static_cast<int>(optional_int(config, "no_rope_layer_interval", where, 1, kLargestInterval)
                           .value_or(kSmolInterval));
  const nlohmann::json* listed = optional_array(config, "no_rope_layers", where);
  if (listed != nullptr && listed->size() != static_cast<std::size_t>(out.layers)) {
    refuse_field(where, "no_rope_layers", std::to_string(out.layers) + " entries",
                 std::to_string(listed->size()));
  }
  const bool is_listed = config.contains("layer_types") && !config["layer_types"].is_null();
  for (int layer = 0; layer < out.layers; ++layer) {
    const bool turns = listed == nullptr
                           ? (layer + 1) % interval != 0
                           : checked_int((*listed)[static_cast<std::size_t>(layer)],
                                         field_of(where, "no_rope_layers"), 0, 1) == 1;
    out.rotary_by_layer.push_back(turns ? out.rotary : RotaryConfig{});
    // Where nothing else is said, only layers without rotary embedding have a window.
    if (turns && !is_listed && !out.sliding_windows.empty()) {
      out.sliding_windows[static_cast<std::size_t>(layer)] = 0;
    }
  }
}

}  // namespace

ArchitectureSpec smollm3_architecture() {
  ArchitectureSpec spec = llama_like("SmolLM3ForCausalLM", "smollm3");
  spec.base_architecture = "SmolLM3Model";
  spec.rotary_defaults.theta = kSmolTheta;
  spec.attention_bias = AttentionBias::kByField;
  spec.mlp_bias = MlpBias::kByField;
  spec.sliding_window = SlidingWindow::kByFlag;
  spec.read_own = read_smollm3;
  spec.config_class = "SmolLM3Config";
  spec.keys = {.read = R"({"vocab_size": 128256, "hidden_size": 2048, "intermediate_size": 11008,
"num_hidden_layers": 36, "num_attention_heads": 16, "num_key_value_heads": 4,
"hidden_act": "silu", "max_position_embeddings": 32768, "rms_norm_eps": 1e-06,
"bos_token_id": 128000, "eos_token_id": 128001, "rope_parameters": null,
"use_sliding_window": false, "sliding_window": null, "no_rope_layers": null,
"no_rope_layer_interval": 4, "layer_types": null, "attention_bias": false,
"mlp_bias": false, "tie_word_embeddings": true, "max_window_layers": null})",
               .neutral = R"({"num_experts": 0, "num_local_experts": 0})",
               .ignored = "attention_dropout initializer_range pad_token_id use_cache"};
  return spec;
}

}  // namespace regroup::models
