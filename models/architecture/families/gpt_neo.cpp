#include "models/architecture/families/families.hpp"

#include <nlohmann/json.hpp>

#include "models/files/json_fields.hpp"

namespace regroup::models {
namespace {

/// "attention_types": pairs of a list of "global" and "local" and how often it is repeated.
void read_gpt_neo(const nlohmann::json& config, const std::string& where, ModelConfig& out) {
  constexpr std::int64_t kLargestWindow = std::int64_t{1} << 24;
  constexpr std::int64_t kMostRepeats = 4096;
  out.attention_scale = 1;
  const auto window =
      static_cast<int>(required_int(config, "window_size", where, 1, kLargestWindow));
  const std::string types = field_of(where, "attention_types");
  const nlohmann::json usual = {{{"global", "local"}, 12}};
  const nlohmann::json* listed = optional_array(config, "attention_types", where);
  for (const nlohmann::json& entry : listed != nullptr ? *listed : usual) {
    if (!entry.is_array() || entry.size() != 2 || !entry[0].is_array()) {
      refuse_field(where, "attention_types", "lists of kinds and a number", entry.dump());
    }
    for (auto left = checked_int(entry[1], types, 0, kMostRepeats); left > 0; --left) {
      for (const nlohmann::json& kind : entry[0]) {
        if (kind != "global" && kind != "local") {
          refuse_field(where, "attention_types", "global or local", kind.dump());
        }
        out.sliding_windows.push_back(kind == "local" ? window : 0);
      }
    }
  }
  if (out.sliding_windows.size() == static_cast<std::size_t>(out.layers)) return;
  refuse_field(where, "attention_types", std::to_string(out.layers) + " layers",
               std::to_string(out.sliding_windows.size()));
}

}  // namespace

ArchitectureSpec gpt_neo_architecture() {
  return {
      .architecture = "GPTNeoForCausalLM",
      .model_type = "gpt_neo",
      .base_architecture = "GPTNeoModel",
      .config_class = "GPTNeoConfig",
      .base_prefix = "transformer.",
      .fields = {.layers = "num_layers",
                 .query_heads = "num_heads",
                 .norm_epsilon = "layer_norm_epsilon",
                 .activation = "activation_function"},
      .keys = {.read =
                   R"({"vocab_size": 50257, "max_position_embeddings": 2048, "hidden_size": 2048,
"num_layers": 24, "attention_types": null, "num_heads": 16, "intermediate_size":
null, "window_size": 256, "activation_function": "gelu_new", "layer_norm_epsilon":
1e-05, "bos_token_id": 50256, "eos_token_id": 50256, "tie_word_embeddings": true,
"attention_layers": null})",
               .ignored =
                   "attention_dropout attention_layers classifier_dropout embed_dropout "
                   "initializer_range pad_token_id resid_dropout summary_activation "
                   "summary_first_dropout summary_proj_to_labels summary_type summary_use_proj "
                   "use_cache",
               .other_names = {{"num_attention_heads", "num_heads"},
                               {"num_hidden_layers", "num_layers"}}},
      .model = {.embedding = "transformer.wte",
                .positions = "transformer.wpe",
                .final_norm = "transformer.ln_f",
                .head = "lm_head"},
      .layer = {.attention_norm = "transformer.h.{}.ln_1",
                .query = "transformer.h.{}.attn.attention.q_proj",
                .key = "transformer.h.{}.attn.attention.k_proj",
                .value = "transformer.h.{}.attn.attention.v_proj",
                .output = "transformer.h.{}.attn.attention.out_proj",
                .mlp_norm = "transformer.h.{}.ln_2",
                .up = "transformer.h.{}.mlp.c_fc",
                .down = "transformer.h.{}.mlp.c_proj"},
      .positions = PositionKind::kLearned,
      .attention_bias = AttentionBias::kOutput,
      .activations = {"gelu_new", "gelu_pytorch_tanh", "gelu_fast", "gelu", "relu", "silu"},
      .read_own = read_gpt_neo,
  };
}

}  // namespace regroup::models
