#include "models/architecture/families/families.hpp"

#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "models/files/json_fields.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

constexpr std::int64_t kMostBlocks = 4096;
constexpr std::int64_t kLargestDistance = std::int64_t{1} << 20;
/// T5 has no position table: this is the longest input that is taken.
constexpr int kLongestInput = 1 << 16;

struct FeedForward {
  std::string_view name;
  bool is_gated;
  Activation activation;
};

constexpr std::array kFeedForwards = {
    FeedForward{"relu", false, Activation::kRelu},
    FeedForward{"gelu", false, Activation::kGelu},
    FeedForward{"gelu_new", false, Activation::kTanhGelu},
    FeedForward{"gated-gelu", true, Activation::kTanhGelu},
    FeedForward{"gated-silu", true, Activation::kSilu},
};

void read_feed_forward(const nlohmann::json& config, const std::string& where, ModelConfig& out) {
  const auto name = optional_string(config, "feed_forward_proj", where).value_or("relu");
  for (const FeedForward& known : kFeedForwards) {
    if (known.name != name) continue;
    out.mlp.is_gated = known.is_gated;
    out.mlp.activation = known.activation;
    return;
  }
  throw InputError({.what = "feed-forward block is not supported",
                    .where = field_of(where, "feed_forward_proj"),
                    .expected = "relu, gelu, gelu_new, gated-gelu or gated-silu",
                    .found = name});
}

void read_t5(const nlohmann::json& config, const std::string& where, ModelConfig& out) {
  read_feed_forward(config, where, out);
  out.context = kLongestInput;
  out.attention_scale = 1;
  const auto number = [&](const char* key, std::int64_t max, int otherwise) {
    return static_cast<int>(optional_int(config, key, where, 1, max).value_or(otherwise));
  };
  constexpr int kUsualBuckets = 32;
  constexpr int kUsualDistance = 128;
  out.relative_bias = {number("relative_attention_num_buckets", kLargestDistance, kUsualBuckets),
                       number("relative_attention_max_distance", kLargestDistance, kUsualDistance)};
  out.encoder_layers = out.layers;
  out.layers += 2 * number("num_decoder_layers", kMostBlocks, out.encoder_layers);
  // Where nothing says otherwise the scale belongs to the shared table.
  const bool is_tied = optional_bool(config, "tie_word_embeddings", where).value_or(true);
  if (optional_bool(config, "scale_decoder_outputs", where).value_or(is_tied)) {
    out.logit_scale = 1 / std::sqrt(static_cast<double>(out.width));
  }
}

}  // namespace

ArchitectureSpec t5_architecture() {
  return {
      .architecture = "T5ForConditionalGeneration",
      .model_type = "t5",
      .config_class = "T5Config",
      .kind = ModelKind::kSequence,
      .fields = {.layers = "num_layers",
                 .width = "d_model",
                 .query_heads = "num_heads",
                 .head_dim = "d_kv",
                 .mlp_width = "d_ff",
                 .context = "",
                 .norm_epsilon = "layer_norm_epsilon",
                 .activation = ""},
      .keys =
          {.read =
               R"({"vocab_size": 32128, "d_model": 512, "d_kv": 64, "d_ff": 2048, "num_layers": 6,
"num_decoder_layers": null, "num_heads": 8, "relative_attention_num_buckets": 32,
"relative_attention_max_distance": 128, "layer_norm_epsilon": 1e-06,
"feed_forward_proj": "relu", "eos_token_id": 1, "scale_decoder_outputs": null,
"tie_word_embeddings": true})",
           .neutral = R"({"is_decoder": false})",
           .ignored =
               "classifier_dropout dense_act_fn dropout_rate initializer_factor is_gated_act "
               "n_positions output_past pad_token_id relative_attention_num_buckets_ use_cache",
           .other_names = {{"hidden_size", "d_model"},
                           {"num_attention_heads", "num_heads"},
                           {"num_hidden_layers", "num_layers"},
                           {"head_dim", "d_kv"}}},
      .model = {.embedding = "shared",
                .encoder_embedding = "encoder.embed_tokens",
                .decoder_embedding = "decoder.embed_tokens",
                .encoder_bias = "encoder.block.0.layer.0.SelfAttention.relative_attention_bias",
                .decoder_bias = "decoder.block.0.layer.0.SelfAttention.relative_attention_bias",
                .encoder_norm = "encoder.final_layer_norm",
                .final_norm = "decoder.final_layer_norm",
                .head = "lm_head"},
      .layer = {.attention_norm = "encoder.block.{}.layer.0.layer_norm",
                .query = "encoder.block.{}.layer.0.SelfAttention.q",
                .key = "encoder.block.{}.layer.0.SelfAttention.k",
                .value = "encoder.block.{}.layer.0.SelfAttention.v",
                .output = "encoder.block.{}.layer.0.SelfAttention.o",
                .mlp_norm = "encoder.block.{}.layer.1.layer_norm",
                .gate = "encoder.block.{}.layer.1.DenseReluDense.wi_0",
                .up = "encoder.block.{}.layer.1.DenseReluDense.wi_1",
                .ungated_up = "encoder.block.{}.layer.1.DenseReluDense.wi",
                .down = "encoder.block.{}.layer.1.DenseReluDense.wo"},
      .decoder_self = {.attention_norm = "decoder.block.{}.layer.0.layer_norm",
                       .query = "decoder.block.{}.layer.0.SelfAttention.q",
                       .key = "decoder.block.{}.layer.0.SelfAttention.k",
                       .value = "decoder.block.{}.layer.0.SelfAttention.v",
                       .output = "decoder.block.{}.layer.0.SelfAttention.o"},
      .decoder_cross = {.attention_norm = "decoder.block.{}.layer.1.layer_norm",
                        .query = "decoder.block.{}.layer.1.EncDecAttention.q",
                        .key = "decoder.block.{}.layer.1.EncDecAttention.k",
                        .value = "decoder.block.{}.layer.1.EncDecAttention.v",
                        .output = "decoder.block.{}.layer.1.EncDecAttention.o",
                        .mlp_norm = "decoder.block.{}.layer.2.layer_norm",
                        .gate = "decoder.block.{}.layer.2.DenseReluDense.wi_0",
                        .up = "decoder.block.{}.layer.2.DenseReluDense.wi_1",
                        .ungated_up = "decoder.block.{}.layer.2.DenseReluDense.wi",
                        .down = "decoder.block.{}.layer.2.DenseReluDense.wo"},
      .norm = NormKind::kRootMeanSquare,
      .attention_bias = AttentionBias::kNone,
      .mlp_bias = MlpBias::kNone,
      .read_own = read_t5,
  };
}

}  // namespace regroup::models
