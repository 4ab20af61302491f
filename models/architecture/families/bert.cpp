#include "models/architecture/families/families.hpp"

#include <nlohmann/json.hpp>

#include "models/architecture/families/text_classifier.hpp"
#include "models/files/json_fields.hpp"

namespace regroup::models {
namespace {

constexpr std::int64_t kMostTokenTypes = 1024;

void read_bert(const nlohmann::json& config, const std::string& where, ModelConfig& out) {
  out.final_norm = false;
  out.token_types =
      static_cast<int>(required_int(config, "type_vocab_size", where, 1, kMostTokenTypes));
}

/// Positions of tokens that are no padding begin behind the padding's own row.
void read_roberta(const nlohmann::json& config, const std::string& where, ModelConfig& out) {
  read_bert(config, where, out);
  out.padding = static_cast<std::int32_t>(
      required_int(config, "pad_token_id", where, 0, out.learned_positions - 2));
  out.position_offset = *out.padding + 1;
  out.context = out.learned_positions - out.position_offset;
}

/// What norms are called in checkpoints of the first years.
std::vector<OtherName> old_norm_names() {
  return {{"LayerNorm.weight", "LayerNorm.gamma"},
          {"LayerNorm.bias", "LayerNorm.beta"},
          {"layer_norm.weight", "layer_norm.gamma"},
          {"layer_norm.bias", "layer_norm.beta"}};
}

}  // namespace

ArchitectureSpec bert_architecture() {
  return {
      .architecture = "BertForMaskedLM",
      .model_type = "bert",
      .base_architecture = "BertModel",
      .other_architectures = {"BertForPreTraining"},
      .config_class = "BertConfig",
      .kind = ModelKind::kMasked,
      .base_prefix = "bert.",
      .keys =
          {.read = R"({"vocab_size": 30522, "hidden_size": 768, "num_hidden_layers": 12,
"num_attention_heads": 12, "intermediate_size": 3072, "hidden_act": "gelu",
"max_position_embeddings": 512, "type_vocab_size": 2, "layer_norm_eps": 1e-12,
"bos_token_id": null, "eos_token_id": null, "tie_word_embeddings": true})",
           .neutral =
               R"({"position_embedding_type": "absolute", "is_decoder": false, "add_cross_attention":
false})",
           .ignored = "attention_probs_dropout_prob classifier_dropout directionality "
                      "gradient_checkpointing hidden_dropout_prob initializer_range pad_token_id "
                      "pooler_fc_size pooler_num_attention_heads pooler_num_fc_layers "
                      "pooler_size_per_head pooler_type use_cache"},
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
      .other_names = old_norm_names(),
      .order = ResidualOrder::kPostNorm,
      .positions = PositionKind::kLearned,
      .activations = {"gelu", "gelu_new", "relu"},
      .read_own = read_bert,
  };
}

ArchitectureSpec bert_classifier_architecture() {
  ArchitectureSpec spec = text_classifier(
      bert_architecture(), "BertForSequenceClassification",
      {.head_dense = "bert.pooler.dense", .head_bias = "classifier.bias", .head = "classifier"});
  spec.read_own = [](const nlohmann::json& config, const std::string& where, ModelConfig& out) {
    read_bert(config, where, out);
    read_text_classes(config, where, Activation::kTanh, out);
  };
  return spec;
}

ArchitectureSpec roberta_architecture() {
  return {
      .architecture = "RobertaForMaskedLM",
      .model_type = "roberta",
      .base_architecture = "RobertaModel",
      .config_class = "RobertaConfig",
      .kind = ModelKind::kMasked,
      .base_prefix = "roberta.",
      .keys =
          {.read = R"({"vocab_size": 50265, "hidden_size": 768, "num_hidden_layers": 12,
"num_attention_heads": 12, "intermediate_size": 3072, "hidden_act": "gelu",
"max_position_embeddings": 512, "type_vocab_size": 2, "layer_norm_eps": 1e-12,
"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2, "tie_word_embeddings": true})",
           .neutral =
               R"({"position_embedding_type": "absolute", "is_decoder": false, "add_cross_attention":
false})",
           .ignored = "attention_probs_dropout_prob classifier_dropout hidden_dropout_prob "
                      "initializer_range use_cache"},
      .model = {.embedding = "roberta.embeddings.word_embeddings",
                .positions = "roberta.embeddings.position_embeddings",
                .token_types = "roberta.embeddings.token_type_embeddings",
                .embedding_norm = "roberta.embeddings.LayerNorm",
                .head_dense = "lm_head.dense",
                .head_norm = "lm_head.layer_norm",
                .head_bias = "lm_head.bias",
                .head = "lm_head.decoder"},
      .layer = {.attention_norm = "roberta.encoder.layer.{}.attention.output.LayerNorm",
                .query = "roberta.encoder.layer.{}.attention.self.query",
                .key = "roberta.encoder.layer.{}.attention.self.key",
                .value = "roberta.encoder.layer.{}.attention.self.value",
                .output = "roberta.encoder.layer.{}.attention.output.dense",
                .mlp_norm = "roberta.encoder.layer.{}.output.LayerNorm",
                .up = "roberta.encoder.layer.{}.intermediate.dense",
                .down = "roberta.encoder.layer.{}.output.dense"},
      .other_names = old_norm_names(),
      .order = ResidualOrder::kPostNorm,
      .positions = PositionKind::kLearned,
      .activations = {"gelu", "gelu_new", "relu"},
      .read_own = read_roberta,
  };
}

ArchitectureSpec roberta_classifier_architecture() {
  ArchitectureSpec spec =
      text_classifier(roberta_architecture(), "RobertaForSequenceClassification",
                      {.head_dense = "classifier.dense",
                       .head_bias = "classifier.out_proj.bias",
                       .head = "classifier.out_proj"});
  spec.read_own = [](const nlohmann::json& config, const std::string& where, ModelConfig& out) {
    read_roberta(config, where, out);
    read_text_classes(config, where, Activation::kTanh, out);
  };
  return spec;
}

}  // namespace regroup::models
