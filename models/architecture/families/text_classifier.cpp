#include "models/architecture/families/text_classifier.hpp"

#include <nlohmann/json.hpp>

#include "models/architecture/config_parts.hpp"

namespace regroup::models {

ArchitectureSpec text_classifier(ArchitectureSpec encoder, std::string_view architecture,
                                 const ClassifierHead& head) {
  encoder.architecture = architecture;
  encoder.base_architecture = "";
  encoder.other_architectures = {};
  encoder.kind = ModelKind::kText;
  encoder.model.head_dense = head.head_dense;
  encoder.model.head_norm = "";
  encoder.model.head_bias = head.head_bias;
  encoder.model.head = head.head;
  return encoder;
}

void read_text_classes(const nlohmann::json& config, const std::string& where,
                       Activation activation, ModelConfig& out) {
  out.tied_embeddings = false;
  out.head_activation = activation;
  out.labels = read_text_labels(config, where);
}

}  // namespace regroup::models
