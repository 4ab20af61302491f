#include "models/architecture/families/families.hpp"

#include <bit>
#include <cmath>
#include <nlohmann/json.hpp>

#include "models/files/json_fields.hpp"

namespace regroup::models {
namespace {

/// Slopes as MPT deals them: of the next power of two, first every second one where that is more
/// than there are heads.
std::vector<double> mpt_slopes(int heads, double largest) {
  const int near = static_cast<int>(std::bit_ceil(static_cast<unsigned>(heads)));
  std::vector<double> slopes;
  for (int i = 1; i <= near; ++i) slopes.push_back(std::exp2(-largest * i / near));
  if (near == heads) return slopes;
  std::vector<double> dealt;
  for (int first : {1, 0}) {
    for (int i = first; i < near; i += 2) dealt.push_back(slopes[static_cast<std::size_t>(i)]);
  }
  dealt.resize(static_cast<std::size_t>(heads));
  return dealt;
}

void read_mpt(const nlohmann::json& config, const std::string& where, ModelConfig& out) {
  constexpr double kTiny = 1e-6;
  constexpr double kLargest = 1e6;
  constexpr double kUsualLargestBias = 8;
  const nlohmann::json none = nlohmann::json::object();
  const nlohmann::json* given = optional_object(config, "attn_config", where);
  const nlohmann::json& attention = given != nullptr ? *given : none;
  const std::string inside = field_of(where, "attn_config");
  for (const char* key : {"qk_ln", "prefix_lm", "attn_uses_sequence_id"}) {
    if (optional_bool(attention, key, inside).value_or(false)) {
      refuse_field(inside, key, "false", "true");
    }
  }
  if (!optional_bool(attention, "alibi", inside).value_or(true)) {
    refuse_field(inside, "alibi", "true", "false");
  }
  out.projection_clip = optional_number(attention, "clip_qkv", inside, kTiny, kLargest);
  out.attention_scale = optional_number(attention, "softmax_scale", inside, kTiny, kLargest);
  const double largest = optional_number(attention, "alibi_bias_max", inside, kTiny, kLargest)
                             .value_or(kUsualLargestBias);
  out.alibi.slopes = mpt_slopes(out.query_heads, largest);
}

}  // namespace

ArchitectureSpec mpt_architecture() {
  return {
      .architecture = "MptForCausalLM",
      .model_type = "mpt",
      .base_architecture = "MptModel",
      .config_class = "MptConfig",
      .base_prefix = "transformer.",
      .fields = {.layers = "n_layers",
                 .width = "d_model",
                 .query_heads = "n_heads",
                 .mlp_width = "",
                 .context = "max_seq_len",
                 .norm_epsilon = "layer_norm_epsilon",
                 .activation = ""},
      .keys =
          {.read =
               R"({"d_model": 2048, "n_heads": 16, "n_layers": 24, "expansion_ratio": 4, "max_seq_len":
2048, "vocab_size": 50368, "layer_norm_epsilon": 1e-05, "attn_config": null,
"tie_word_embeddings": true, "bos_token_id": null, "eos_token_id": null})",
           .neutral = R"({"no_bias": true})",
           .ignored =
               "emb_pdrop embedding_fraction expansion_ratio fc_type ffn_config init_config "
               "init_device initializer_range learned_pos_emb logit_scale norm_type pad_token_id "
               "resid_pdrop tokenizer_name use_cache use_pad_tok_in_ffn verbose",
           .other_names = {{"num_attention_heads", "n_heads"},
                           {"hidden_size", "d_model"},
                           {"num_hidden_layers", "n_layers"}}},
      .model = {.embedding = "transformer.wte",
                .final_norm = "transformer.norm_f",
                .head = "lm_head"},
      .layer = {.attention_norm = "transformer.blocks.{}.norm_1",
                .query = "transformer.blocks.{}.attn.Wqkv",
                .output = "transformer.blocks.{}.attn.out_proj",
                .mlp_norm = "transformer.blocks.{}.norm_2",
                .up = "transformer.blocks.{}.ffn.up_proj",
                .down = "transformer.blocks.{}.ffn.down_proj"},
      .norm = NormKind::kUnbiasedLayerNorm,
      .storage = ProjectionStorage::kFused,
      .attention_bias = AttentionBias::kNone,
      .mlp_bias = MlpBias::kNone,
      .activations = {"gelu"},
      .merge_limit = "with clip_qkv projections are kept within a range, which no rotation passes",
      .read_own = read_mpt,
  };
}

}  // namespace regroup::models
