#pragma once

namespace regroup::models {

/// How the next token is chosen from the model's probabilities, in this order.
struct SamplingOptions {
  double temperature = 0;  ///< divides the logits; 0: always the most likely token
  int top_k = 0;           ///< only the k most likely tokens; 0: all
  /// Only the most likely tokens that together are at least this likely (Holtzman et al., arXiv
  /// 1904.09751), of those that `top_k` left; 1: all.
  double top_p = 1;
};

/// Throws InputError, naming the option, for a temperature or a top_k below 0 and a top_p outside
/// (0, 1].
void require_valid(const SamplingOptions& options);

}  // namespace regroup::models
