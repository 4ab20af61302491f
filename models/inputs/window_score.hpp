#pragma once

#include <span>
#include <vector>

namespace regroup::models {

/// What a model makes of one window beside its source (METHODS §9): means over the scored
/// positions.
struct WindowScore {
  double loss = 0;        ///< −log p of the next token, nats
  double divergence = 0;  ///< KL(source ‖ model) of the two distributions of the next token, nats
  double agreement = 0;   ///< share of positions where both find the same token most likely
  double accuracy = 0;    ///< share of positions where the model finds the next token most likely

  bool operator==(const WindowScore&) const = default;
};

/// What is measured of a model alone, for every token.
enum class TokenMeasure {
  kLoss,   ///< −log p of the next token, nats
  kError,  ///< 1 where the model finds another token most likely than the next one, else 0
};

/// One field of every window: `values_of(scores, &WindowScore::loss)`.
inline std::vector<double> values_of(std::span<const WindowScore> scores,
                                     double WindowScore::*field) {
  std::vector<double> values;
  values.reserve(scores.size());
  for (const WindowScore& score : scores) values.push_back(score.*field);
  return values;
}

}  // namespace regroup::models
