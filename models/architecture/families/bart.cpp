#include "models/architecture/families/families.hpp"

#include <fmt/format.h>
#include <cmath>
#include <nlohmann/json.hpp>

#include "models/files/json_fields.hpp"

namespace regroup::models {
namespace {

constexpr std::int64_t kMostDecoderLayers = 4096;
constexpr std::int64_t kLargestSide = std::int64_t{1} << 24;
/// Rows that Bart's position tables hold before that of the first position.
constexpr int kBartOffset = 2;

void require_equal(const nlohmann::json& config, const char* encoder, const char* decoder,
                   const std::string& where) {
  const auto own = required_int(config, encoder, where, 1, kLargestSide);
  const auto other = required_int(config, decoder, where, 1, kLargestSide);
  if (own == other) return;
  refuse_field(where, decoder, fmt::format("{}, as {}", own, encoder), std::to_string(other));
}

/// What all of these models have in common: encoder and decoder of the same heads and widths.
void read_sides(const nlohmann::json& config, const std::string& where, ModelConfig& out) {
  require_equal(config, "encoder_attention_heads", "decoder_attention_heads", where);
  require_equal(config, "encoder_ffn_dim", "decoder_ffn_dim", where);
  out.encoder_layers = out.layers;
  out.layers +=
      2 * static_cast<int>(required_int(config, "decoder_layers", where, 1, kMostDecoderLayers));
  if (required_bool(config, "scale_embedding", where)) {
    out.embedding_scale = std::sqrt(static_cast<double>(out.width));
  }
}

void read_bart(const nlohmann::json& config, const std::string& where, ModelConfig& out) {
  read_sides(config, where, out);
  out.final_norm = false;
  out.position_offset = kBartOffset;
  out.learned_positions = out.context + kBartOffset;
}

void read_m2m100(const nlohmann::json& config, const std::string& where, ModelConfig& out) {
  read_sides(config, where, out);
  out.padding =
      static_cast<std::int32_t>(required_int(config, "pad_token_id", where, 0, out.vocabulary - 1));
  out.position_offset = *out.padding + 1;
}

void read_marian(const nlohmann::json& config, const std::string& where, ModelConfig& out) {
  read_sides(config, where, out);
  out.final_norm = false;
  const auto size = optional_int(config, "decoder_vocab_size", where, 1, kLargestSide);
  if (size.value_or(out.vocabulary) != out.vocabulary) {
    refuse_field(where, "decoder_vocab_size", std::to_string(out.vocabulary),
                 std::to_string(*size));
  }
}

void read_whisper(const nlohmann::json& config, const std::string& where, ModelConfig& out) {
  read_sides(config, where, out);
  out.learned_positions = out.context;
  out.speech.bands = static_cast<int>(required_int(config, "num_mel_bins", where, 1, kLargestSide));
  out.speech.frames =
      2 * static_cast<int>(required_int(config, "max_source_positions", where, 1, kLargestSide));
}

/// The names of the encoder's sizes that the classes also know.
std::vector<std::pair<std::string_view, std::string_view>> side_names() {
  return {{"num_attention_heads", "encoder_attention_heads"},
          {"hidden_size", "d_model"},
          {"num_hidden_layers", "encoder_layers"}};
}

/// What all of these models have in common.
ArchitectureSpec bart_like(std::string_view architecture, std::string_view model_type) {
  return {
      .architecture = architecture,
      .model_type = model_type,
      .kind = ModelKind::kSequence,
      .base_prefix = "model.",
      .fields = {.layers = "encoder_layers",
                 .width = "d_model",
                 .query_heads = "encoder_attention_heads",
                 .mlp_width = "encoder_ffn_dim",
                 .norm_epsilon = "",
                 .activation = "activation_function"},
      .layer = {.attention_norm = "model.encoder.layers.{}.self_attn_layer_norm",
                .query = "model.encoder.layers.{}.self_attn.q_proj",
                .key = "model.encoder.layers.{}.self_attn.k_proj",
                .value = "model.encoder.layers.{}.self_attn.v_proj",
                .output = "model.encoder.layers.{}.self_attn.out_proj",
                .mlp_norm = "model.encoder.layers.{}.final_layer_norm",
                .up = "model.encoder.layers.{}.fc1",
                .down = "model.encoder.layers.{}.fc2"},
      .decoder_self = {.attention_norm = "model.decoder.layers.{}.self_attn_layer_norm",
                       .query = "model.decoder.layers.{}.self_attn.q_proj",
                       .key = "model.decoder.layers.{}.self_attn.k_proj",
                       .value = "model.decoder.layers.{}.self_attn.v_proj",
                       .output = "model.decoder.layers.{}.self_attn.out_proj"},
      .decoder_cross = {.attention_norm = "model.decoder.layers.{}.encoder_attn_layer_norm",
                        .query = "model.decoder.layers.{}.encoder_attn.q_proj",
                        .key = "model.decoder.layers.{}.encoder_attn.k_proj",
                        .value = "model.decoder.layers.{}.encoder_attn.v_proj",
                        .output = "model.decoder.layers.{}.encoder_attn.out_proj",
                        .mlp_norm = "model.decoder.layers.{}.final_layer_norm",
                        .up = "model.decoder.layers.{}.fc1",
                        .down = "model.decoder.layers.{}.fc2"},
      .activations = {"gelu", "gelu_new", "relu", "silu", "swish"},
  };
}

}  // namespace

ArchitectureSpec bart_architecture() {
  ArchitectureSpec spec = bart_like("BartForConditionalGeneration", "bart");
  spec.base_architecture = "BartModel";
  spec.config_class = "BartConfig";
  spec.keys = {.read =
                   R"({"vocab_size": 50265, "max_position_embeddings": 1024, "encoder_layers": 12,
"encoder_ffn_dim": 4096, "encoder_attention_heads": 16, "decoder_layers": 12,
"decoder_ffn_dim": 4096, "decoder_attention_heads": 16, "activation_function":
"gelu", "d_model": 1024, "scale_embedding": false, "bos_token_id": 0,
"eos_token_id": 2, "decoder_start_token_id": 2, "tie_word_embeddings": true})",
               .neutral = R"({"is_decoder": false})",
               .ignored =
                   "activation_dropout add_bias_logits add_final_layer_norm attention_dropout "
                   "classif_dropout classifier_dropout decoder_layerdrop dropout encoder_layerdrop "
                   "extra_pos_embeddings force_bos_token_to_be_generated forced_eos_token_id "
                   "gradient_checkpointing init_std normalize_before normalize_embedding "
                   "pad_token_id static_position_embeddings use_cache"};
  spec.keys.other_names = side_names();
  spec.model = {.embedding = "model.shared",
                .encoder_embedding = "model.encoder.embed_tokens",
                .decoder_embedding = "model.decoder.embed_tokens",
                .positions = "model.encoder.embed_positions",
                .embedding_norm = "model.encoder.layernorm_embedding",
                .decoder_positions = "model.decoder.embed_positions",
                .decoder_embedding_norm = "model.decoder.layernorm_embedding",
                .head_bias = "final_logits_bias",
                .head = "lm_head"};
  spec.order = ResidualOrder::kPostNorm;
  spec.positions = PositionKind::kLearned;
  spec.read_own = read_bart;
  return spec;
}

ArchitectureSpec m2m100_architecture() {
  ArchitectureSpec spec = bart_like("M2M100ForConditionalGeneration", "m2m_100");
  spec.base_architecture = "M2M100Model";
  spec.config_class = "M2M100Config";
  spec.keys = {
      .read = R"({"vocab_size": 128112, "max_position_embeddings": 1024, "encoder_layers": 12,
"encoder_ffn_dim": 4096, "encoder_attention_heads": 16, "decoder_layers": 12,
"decoder_ffn_dim": 4096, "decoder_attention_heads": 16, "activation_function":
"relu", "d_model": 1024, "decoder_start_token_id": 2, "scale_embedding": true,
"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2, "tie_word_embeddings": true})",
      .ignored =
          "activation_dropout attention_dropout decoder_layerdrop dropout encoder_layerdrop "
          "init_std use_cache"};
  spec.keys.other_names = side_names();
  spec.model = {.embedding = "model.shared",
                .encoder_embedding = "model.encoder.embed_tokens",
                .decoder_embedding = "model.decoder.embed_tokens",
                .encoder_norm = "model.encoder.layer_norm",
                .final_norm = "model.decoder.layer_norm",
                .head = "lm_head"};
  spec.positions = PositionKind::kSinusoid;
  spec.read_own = read_m2m100;
  return spec;
}

ArchitectureSpec marian_architecture() {
  ArchitectureSpec spec = bart_like("MarianMTModel", "marian");
  spec.base_architecture = "MarianModel";
  spec.config_class = "MarianConfig";
  spec.keys = {
      .read =
          R"({"vocab_size": 58101, "decoder_vocab_size": null, "max_position_embeddings": 1024,
"encoder_layers": 12, "encoder_ffn_dim": 4096, "encoder_attention_heads": 16,
"decoder_layers": 12, "decoder_ffn_dim": 4096, "decoder_attention_heads": 16,
"activation_function": "gelu", "d_model": 1024, "decoder_start_token_id": 58100,
"scale_embedding": false, "eos_token_id": 0, "bos_token_id": null,
"tie_word_embeddings": true})",
      .neutral = R"({"share_encoder_decoder_embeddings": true, "is_decoder": false})",
      .ignored =
          "activation_dropout add_bias_logits add_final_layer_norm attention_dropout "
          "classif_dropout decoder_layerdrop dropout encoder_layerdrop extra_pos_embeddings "
          "force_bos_token_to_be_generated forced_eos_token_id gradient_checkpointing "
          "init_std normalize_before normalize_embedding pad_token_id "
          "static_position_embeddings use_cache"};
  spec.keys.other_names = side_names();
  spec.model = {.embedding = "model.shared",
                .encoder_embedding = "model.encoder.embed_tokens",
                .decoder_embedding = "model.decoder.embed_tokens",
                .head_bias = "final_logits_bias",
                .head = "lm_head"};
  spec.order = ResidualOrder::kPostNorm;
  spec.positions = PositionKind::kTransformerSinusoid;
  spec.read_own = read_marian;
  return spec;
}

ArchitectureSpec whisper_architecture() {
  ArchitectureSpec spec = bart_like("WhisperForConditionalGeneration", "whisper");
  spec.base_architecture = "WhisperModel";
  spec.config_class = "WhisperConfig";
  spec.keys = {.read = R"({"vocab_size": 51865, "num_mel_bins": 80, "encoder_layers": 4,
"encoder_attention_heads": 6, "decoder_layers": 4, "decoder_attention_heads": 6,
"decoder_ffn_dim": 1536, "encoder_ffn_dim": 1536, "decoder_start_token_id": 50257,
"activation_function": "gelu", "d_model": 384, "scale_embedding": false,
"max_source_positions": 1500, "max_target_positions": 448, "bos_token_id": 50256,
"eos_token_id": 50256, "tie_word_embeddings": true})",
               .ignored =
                   "activation_dropout alignment_heads apply_spec_augment attention_dropout "
                   "begin_suppress_tokens classifier_proj_size decoder_layerdrop dropout "
                   "encoder_layerdrop init_std is_multilingual lang_detection_segments lang_ids "
                   "mask_feature_length mask_feature_min_masks mask_feature_prob mask_time_length "
                   "mask_time_min_masks mask_time_prob median_filter_width pad_token_id "
                   "suppress_tokens use_cache use_weighted_layer_sum use_weighted_layer_sum"};
  spec.keys.other_names = side_names();
  spec.model = {.embedding = "model.decoder.embed_tokens",
                .positions = "model.encoder.embed_positions",
                .decoder_positions = "model.decoder.embed_positions",
                .sound_convolution = "model.encoder.conv1",
                .sound_reduction = "model.encoder.conv2",
                .encoder_norm = "model.encoder.layer_norm",
                .final_norm = "model.decoder.layer_norm",
                .head = "proj_out"};
  spec.kind = ModelKind::kSpeech;
  spec.fields.context = "max_target_positions";
  spec.positions = PositionKind::kLearned;
  spec.attention_bias = AttentionBias::kAllButKeys;
  spec.read_own = read_whisper;
  return spec;
}

}  // namespace regroup::models
