#include "models/architecture/families/families.hpp"

#include <nlohmann/json.hpp>

#include "models/architecture/families/text_classifier.hpp"
#include "models/files/json_fields.hpp"

namespace regroup::models {
namespace {

void read_distilbert(const nlohmann::json& /*config*/, const std::string& /*where*/,
                     ModelConfig& out) {
  out.final_norm = false;
}

}  // namespace

ArchitectureSpec distilbert_architecture() {
  return {
      .architecture = "DistilBertForMaskedLM",
      .model_type = "distilbert",
      .base_architecture = "DistilBertModel",
      .config_class = "DistilBertConfig",
      .kind = ModelKind::kMasked,
      .base_prefix = "distilbert.",
      .fields = {.layers = "n_layers",
                 .width = "dim",
                 .query_heads = "n_heads",
                 .mlp_width = "hidden_dim",
                 .norm_epsilon = "",
                 .activation = "activation"},
      .keys =
          {.read =
               R"({"vocab_size": 30522, "max_position_embeddings": 512, "n_layers": 6, "n_heads": 12,
"dim": 768, "hidden_dim": 3072, "activation": "gelu", "eos_token_id": null,
"bos_token_id": null, "tie_word_embeddings": true})",
           .ignored = "attention_dropout dropout initializer_range pad_token_id qa_dropout "
                      "seq_classif_dropout sinusoidal_pos_embds tie_weights_",
           .other_names = {{"hidden_size", "dim"},
                           {"num_attention_heads", "n_heads"},
                           {"num_hidden_layers", "n_layers"}}},
      .model = {.embedding = "distilbert.embeddings.word_embeddings",
                .positions = "distilbert.embeddings.position_embeddings",
                .embedding_norm = "distilbert.embeddings.LayerNorm",
                .head_dense = "vocab_transform",
                .head_norm = "vocab_layer_norm",
                .head_bias = "vocab_projector.bias",
                .head = "vocab_projector"},
      .layer = {.attention_norm = "distilbert.transformer.layer.{}.sa_layer_norm",
                .query = "distilbert.transformer.layer.{}.attention.q_lin",
                .key = "distilbert.transformer.layer.{}.attention.k_lin",
                .value = "distilbert.transformer.layer.{}.attention.v_lin",
                .output = "distilbert.transformer.layer.{}.attention.out_lin",
                .mlp_norm = "distilbert.transformer.layer.{}.output_layer_norm",
                .up = "distilbert.transformer.layer.{}.ffn.lin1",
                .down = "distilbert.transformer.layer.{}.ffn.lin2"},
      .other_names = {{"LayerNorm.weight", "LayerNorm.gamma"},
                      {"LayerNorm.bias", "LayerNorm.beta"}},
      .usual_epsilon = 1e-12,
      .order = ResidualOrder::kPostNorm,
      .positions = PositionKind::kLearned,
      .activations = {"gelu", "relu"},
      .read_own = read_distilbert,
  };
}

ArchitectureSpec distilbert_classifier_architecture() {
  ArchitectureSpec spec = text_classifier(
      distilbert_architecture(), "DistilBertForSequenceClassification",
      {.head_dense = "pre_classifier", .head_bias = "classifier.bias", .head = "classifier"});
  spec.read_own = [](const nlohmann::json& config, const std::string& where, ModelConfig& out) {
    read_distilbert(config, where, out);
    read_text_classes(config, where, Activation::kRelu, out);
  };
  return spec;
}

}  // namespace regroup::models
