#pragma once

#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <vector>

#include "fitness/measuring/candidate.hpp"
#include "search/base/progress.hpp"

namespace regroup::fitness {

/// Who measures: the seam below `MeasuringService`. What they say of a candidate depends on the
/// candidate alone, to the bit: not on the others, their order, nor on how many workers there are.
template <class Value>
class Workers {
 public:
  /// Takes what was measured of one candidate, by its place; called once for each, in any order,
  /// always on the thread that called `measure`.
  using Sink = std::function<void(std::size_t candidate, std::vector<Value> values)>;

  virtual ~Workers() = default;
  /// Does what any measurement needs first, else the first one does it. Progress counts tokens.
  virtual void prepare(std::stop_token stop, search::Progress& progress) const = 0;
  /// Gives every candidate to the sink as soon as it is measured. Progress counts tokens of each
  /// candidate. Throws Interrupted on `stop`, InputError and WorkError as CandidateMeter.
  virtual void measure(std::span<const Candidate> candidates, std::stop_token stop,
                       search::Progress& progress, const Sink& sink) const = 0;
};

/// Workers that give all scores of every window beside the source; `meter` must outlive them.
std::unique_ptr<Workers<models::WindowScore>> score_workers(const models::CandidateMeter& meter);
/// Workers that give one mean of every window and need not run the source.
std::unique_ptr<Workers<double>> mean_workers(const models::CandidateMeter& meter,
                                              models::TokenMeasure measure);

}  // namespace regroup::fitness
