#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

namespace regroup::models {

struct ModelConfig;

/// How the weights of a mixture's components follow the training (METHODS §6).
enum class MixtureStep {
  kGradient,  ///< by gradients
  kSoft,      ///< after each step, to the mean responsibility of each component
  kHard,      ///< there are none: the best component counts alone
};

/// Attention by mixtures of keys in place of dot products (Transformer-MGK, arXiv 2110.08678):
/// what "attention" in config.json says.
struct MixtureConfig {
  bool is_linear = false;  ///< MLK: φ(q)·φ(k) in place of Gaussians
  int components = 2;      ///< keys of a head, M
  bool shifted = false;    ///< they are one projection with a shift each (sMGK)
  MixtureStep step = MixtureStep::kGradient;
  bool by_position = false;  ///< weights for each key position, else one a head
  bool narrows = false;      ///< σ² of components but the first is a third
  int positions = 0;         ///< key positions that have weights, where they have

  /// 1/σ² of a component of heads with so many dimensions.
  double inverse_variance(int component, int head_dim) const;
  /// Keys that are projected, and cached, a head.
  int projected_keys() const { return shifted ? 1 : components; }
};

/// Reads "attention" of a config.json: {"kind": "mgk" | "mlk" | "linear", "components": 2,
/// "shifted": false, "e_step": "gradient" | "soft" | "hard", "position": "head" | "key",
/// "variance": "equal" | "third"}; absent: nothing. Throws InputError for another value, and where
/// the rest of the model needs dot products.
std::optional<MixtureConfig> read_mixture(const nlohmann::json& config, const std::string& where,
                                          const ModelConfig& model);

}  // namespace regroup::models
