#pragma once

#include <utility>
#include <vector>

#include "search/evolution/variation.hpp"

namespace regroup::search {

/// Candidates whose i-th gene runs from 0 to bounds[i] − 1: a choice per layer, or a bit per layer.
/// Two-point crossover; a mutation redraws a gene or steps it by one (a bit is flipped).
class BoundedIntegers : public Variation {
 public:
  /// Bounds ≥ 1.
  explicit BoundedIntegers(std::vector<Gene> bounds) : bounds_(std::move(bounds)) {}

  std::size_t genes() const override { return bounds_.size(); }
  void sample(RandomStream& random, std::span<Gene> out) const override;
  void cross(std::span<const Gene> a, std::span<const Gene> b, RandomStream& random,
             std::span<Gene> child) const override;
  void mutate(std::span<Gene> genome, RandomStream& random) const override;
  void canonicalise(std::span<Gene>) const override {}

 private:
  std::vector<Gene> bounds_;
};

}  // namespace regroup::search
