#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "models/architecture/architecture_spec.hpp"

namespace regroup::models {

/// Names of a classifier's two maps, and of the last one's bias.
struct ClassifierHead {
  std::string_view head_dense;
  std::string_view head_bias;
  std::string_view head;
};

/// An encoder's family with a head that finds a text's class in the place of its own. `read_own` is
/// still that of the encoder.
ArchitectureSpec text_classifier(ArchitectureSpec encoder, std::string_view architecture,
                                 const ClassifierHead& head);

/// Reads what such a head says; `activation` stands between its two maps. Throws InputError as
/// `read_text_labels`.
void read_text_classes(const nlohmann::json& config, const std::string& where,
                       Activation activation, ModelConfig& out);

}  // namespace regroup::models
