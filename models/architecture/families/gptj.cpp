#include "models/architecture/families/families.hpp"

#include <nlohmann/json.hpp>

#include "models/files/json_fields.hpp"

namespace regroup::models {
namespace {

void read_gptj(const nlohmann::json& config, const std::string& where, ModelConfig& out) {
  // Null: all of a head.
  const auto dimensions = optional_int(config, "rotary_dim", where, 2, out.head_dim);
  out.rotary = {.dimensions = static_cast<int>(dimensions.value_or(out.head_dim)),
                .layout = RotaryLayout::kInterleaved,
                .theta = RotaryDefaults{}.theta,
                .scaling = {}};
  if (out.rotary.dimensions % 2 != 0) {
    refuse_field(where, "rotary_dim", "an even number", std::to_string(out.rotary.dimensions));
  }
}

}  // namespace

ArchitectureSpec gptj_architecture() {
  ArchitectureSpec spec = gpt2_architecture();
  spec.architecture = "GPTJForCausalLM";
  spec.model_type = "gptj";
  spec.base_architecture = "GPTJModel";
  spec.other_architectures = {};
  spec.config_class = "GPTJConfig";
  spec.keys = {
      .read =
          R"({"vocab_size": 50400, "n_positions": 2048, "n_embd": 4096, "n_layer": 28, "n_head":
16, "rotary_dim": 64, "n_inner": null, "activation_function": "gelu_new",
"layer_norm_epsilon": 1e-05, "bos_token_id": 50256, "eos_token_id": 50256,
"tie_word_embeddings": false})",
      .ignored =
          "attn_pdrop embd_pdrop gradient_checkpointing initializer_range n_ctx "
          "pad_token_id resid_pdrop rotary scale_attn_weights summary_activation "
          "summary_first_dropout summary_proj_to_labels summary_type summary_use_proj "
          "use_cache",
      .other_names = {{"hidden_size", "n_embd"},
                      {"max_position_embeddings", "n_positions"},
                      {"num_attention_heads", "n_head"},
                      {"num_hidden_layers", "n_layer"}}};
  spec.model = {.embedding = "transformer.wte",
                .final_norm = "transformer.ln_f",
                .head_bias = "lm_head.bias",
                .head = "lm_head"};
  spec.layer = {.attention_norm = "transformer.h.{}.ln_1",
                .query = "transformer.h.{}.attn.q_proj",
                .key = "transformer.h.{}.attn.k_proj",
                .value = "transformer.h.{}.attn.v_proj",
                .output = "transformer.h.{}.attn.out_proj",
                .up = "transformer.h.{}.mlp.fc_in",
                .down = "transformer.h.{}.mlp.fc_out"};
  spec.order = ResidualOrder::kParallel;
  spec.positions = PositionKind::kNone;
  spec.storage = ProjectionStorage::kSeparate;
  spec.transposed = false;
  spec.attention_bias = AttentionBias::kNone;
  spec.read_own = read_gptj;
  return spec;
}

}  // namespace regroup::models
