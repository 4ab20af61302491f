#include "models/architecture/families/families.hpp"

#include <nlohmann/json.hpp>

#include "models/files/json_fields.hpp"

namespace regroup::models {
namespace {

void read_gpt2(const nlohmann::json& config, const std::string& where, ModelConfig& out) {
  if (!required_bool(config, "scale_attn_weights", where)) out.attention_scale = 1;
}

}  // namespace

ArchitectureSpec gpt2_architecture() {
  return {
      .architecture = "GPT2LMHeadModel",
      .model_type = "gpt2",
      .base_architecture = "GPT2Model",
      .other_architectures = {"GPT2DoubleHeadsModel"},
      .config_class = "GPT2Config",
      .base_prefix = "transformer.",
      .fields = {.layers = "n_layer",
                 .width = "n_embd",
                 .query_heads = "n_head",
                 .mlp_width = "n_inner",
                 .context = "n_positions",
                 .norm_epsilon = "layer_norm_epsilon",
                 .activation = "activation_function"},
      .keys =
          {.read =
               R"({"vocab_size": 50257, "n_positions": 1024, "n_embd": 768, "n_layer": 12, "n_head":
12, "n_inner": null, "activation_function": "gelu_new", "layer_norm_epsilon": 1e-05,
"scale_attn_weights": true, "bos_token_id": 50256, "eos_token_id": 50256,
"tie_word_embeddings": true})",
           .neutral = R"({"scale_attn_by_inverse_layer_idx": false, "add_cross_attention": false})",
           .ignored =
               "attn_pdrop embd_pdrop initializer_range n_ctx pad_token_id "
               "predict_special_tokens reorder_and_upcast_attn resid_pdrop summary_activation "
               "summary_first_dropout summary_proj_to_labels summary_type summary_use_proj "
               "use_cache",
           .other_names = {{"hidden_size", "n_embd"},
                           {"max_position_embeddings", "n_positions"},
                           {"num_attention_heads", "n_head"},
                           {"num_hidden_layers", "n_layer"}}},
      .model = {.embedding = "transformer.wte",
                .positions = "transformer.wpe",
                .final_norm = "transformer.ln_f",
                .head = "lm_head"},
      .layer = {.attention_norm = "transformer.h.{}.ln_1",
                .query = "transformer.h.{}.attn.c_attn",
                .output = "transformer.h.{}.attn.c_proj",
                .mlp_norm = "transformer.h.{}.ln_2",
                .up = "transformer.h.{}.mlp.c_fc",
                .down = "transformer.h.{}.mlp.c_proj"},
      .positions = PositionKind::kLearned,
      .storage = ProjectionStorage::kFused,
      .transposed = true,
      .activations = {"gelu_new", "gelu_pytorch_tanh", "gelu_fast", "gelu", "relu", "silu"},
      .read_own = read_gpt2,
  };
}

}  // namespace regroup::models
