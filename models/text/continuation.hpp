#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace regroup::models {

/// Token ids whose last ones a causal model is asked for: each of the last `scored`, given all ids
/// before it.
struct Continuation {
  std::vector<std::int32_t> ids;
  std::size_t scored = 0;    ///< 1 … inputs().size()
  std::size_t left_out = 0;  ///< ids that stood before these and did not fit the context

  /// What the model reads: all ids but the last.
  std::span<const std::int32_t> inputs() const { return std::span(ids).first(ids.size() - 1); }
};

/// What a model says of a continuation.
struct ContinuationScore {
  double log_probability = 0;  ///< sum over the scored ids, nats
  bool greedy = false;         ///< each of them is the one that the model finds most likely
};

}  // namespace regroup::models
