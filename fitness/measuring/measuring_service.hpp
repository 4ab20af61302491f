#pragma once

#include <span>
#include <stop_token>
#include <vector>

#include "fitness/measuring/measurements.hpp"
#include "fitness/measuring/workers.hpp"

namespace regroup::fitness {

/// The one way to have candidates measured: what is known is recalled, what is not is measured,
/// each model once, and remembered as soon as it is. `Value`: models::WindowScore or double, as of
/// `Workers`. What it says of a candidate does not depend on the others nor on the number of
/// threads. Workers and memory must outlive it. One call at a time.
template <class Value>
class MeasuringService {
 public:
  using Values = std::vector<Value>;

  MeasuringService(const Workers<Value>& workers, const Measurements<Value>& memory,
                   std::stop_token stop)
      : workers_(workers), memory_(memory), stop_(std::move(stop)) {}

  /// For each candidate one value for every window. Progress counts the tokens of what is not
  /// known. Throws as Workers::measure and Measurements::remember; what was measured until then is
  /// remembered.
  std::vector<Values> measure(std::span<const Candidate> candidates,
                              search::Progress& progress) const;
  /// The same for one.
  Values measure(const Candidate& candidate, search::Progress& progress) const {
    return std::move(measure({&candidate, 1}, progress).front());
  }

  /// What `measure` would have to measure: each model that is not known once, in order.
  std::vector<Candidate> missing(std::span<const Candidate> candidates) const;

  /// As Workers::prepare.
  void prepare(search::Progress& progress) const { workers_.prepare(stop_, progress); }

 private:
  const Workers<Value>& workers_;
  const Measurements<Value>& memory_;
  std::stop_token stop_;
};

extern template class MeasuringService<models::WindowScore>;
extern template class MeasuringService<double>;

}  // namespace regroup::fitness
