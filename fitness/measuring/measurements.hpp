#pragma once

#include <optional>
#include <vector>

#include "fitness/measuring/candidate.hpp"

namespace regroup::fitness {

/// Where what was measured of candidates is kept, so that none is measured twice. `Value` is what
/// is said of one window: all its scores (models::WindowScore), or one mean (double).
template <class Value>
class Measurements {
 public:
  virtual ~Measurements() = default;
  /// One value for every window, if they were kept.
  virtual std::optional<std::vector<Value>> recall(const Candidate& candidate) const = 0;
  /// Throws WorkError.
  virtual void remember(const Candidate& candidate, const std::vector<Value>& values) const = 0;
};

/// Keeps nothing.
template <class Value>
class NoMeasurements : public Measurements<Value> {
 public:
  std::optional<std::vector<Value>> recall(const Candidate&) const override { return std::nullopt; }
  void remember(const Candidate&, const std::vector<Value>&) const override {}
};

}  // namespace regroup::fitness
