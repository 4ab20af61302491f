#include "models/architecture/families/families.hpp"

#include <nlohmann/json.hpp>

#include "models/files/json_fields.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

constexpr std::int64_t kMostTokenTypes = 1024;

void read_bert(const nlohmann::json& config, const std::string& where, ModelConfig& out) {
  out.final_norm = false;
  out.token_types = static_cast<int>(
      optional_int(config, "type_vocab_size", where, 1, kMostTokenTypes).value_or(2));
  const auto positions = optional_string(config, "position_embedding_type", where);
  if (!positions || *positions == "absolute") return;
  throw InputError({.what = "kind of position embedding is not supported",
                    .where = field_of(where, "position_embedding_type"),
                    .expected = "absolute",
                    .found = *positions});
}

}  // namespace

ArchitectureSpec bert_architecture() {
  return {
      .architecture = "BertForMaskedLM",
      .kind = ModelKind::kMasked,
      .base_prefix = "bert.",
      .model = {.embedding = "bert.embeddings.word_embeddings",
                .positions = "bert.embeddings.position_embeddings",
                .token_types = "bert.embeddings.token_type_embeddings",
                .embedding_norm = "bert.embeddings.LayerNorm",
                .head_dense = "cls.predictions.transform.dense",
                .head_norm = "cls.predictions.transform.LayerNorm",
                .head_bias = "cls.predictions.bias",
                .head = "cls.predictions.decoder"},
      .layer = {.attention_norm = "bert.encoder.layer.{}.attention.output.LayerNorm",
                .query = "bert.encoder.layer.{}.attention.self.query",
                .key = "bert.encoder.layer.{}.attention.self.key",
                .value = "bert.encoder.layer.{}.attention.self.value",
                .output = "bert.encoder.layer.{}.attention.output.dense",
                .mlp_norm = "bert.encoder.layer.{}.output.LayerNorm",
                .up = "bert.encoder.layer.{}.intermediate.dense",
                .down = "bert.encoder.layer.{}.output.dense"},
      .order = ResidualOrder::kPostNorm,
      .activations = {"gelu", "gelu_new", "relu"},
      .refused_fields = {"quantization_config", "is_decoder", "add_cross_attention"},
      .read_own = read_bert,
  };
}

}  // namespace regroup::models
