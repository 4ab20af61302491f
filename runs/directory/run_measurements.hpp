#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "fitness/measuring/measurements.hpp"
#include "runs/directory/run_directory.hpp"

namespace regroup::runs {

/// Names of files in `state/measured/`: each purpose has its data and its own names.
using MeasurementKey = std::function<std::string(const fitness::Candidate&)>;

/// On the data that are reported; the source's is "source".
std::string reported_key(const fitness::Candidate& candidate);
/// On the selection data, of a measured fitness: `field` is MeasuredFitness::field.
MeasurementKey selection_key(std::string_view field);
/// On the selection data, to split KV heads over layers.
std::string allocation_key(const fitness::Candidate& candidate);

/// Measurements in a run directory, for the runs that resume it. `Value` as of
/// fitness::Measurements.
template <class Value>
class RunMeasurements : public fitness::Measurements<Value> {
 public:
  /// On data of so many `windows`; `directory` must outlive it.
  RunMeasurements(const RunDirectory& directory, std::size_t windows, MeasurementKey key)
      : directory_(directory), windows_(windows), key_(std::move(key)) {}

  std::optional<std::vector<Value>> recall(const fitness::Candidate& candidate) const override;
  void remember(const fitness::Candidate& candidate,
                const std::vector<Value>& values) const override;

 private:
  const RunDirectory& directory_;
  std::size_t windows_;
  MeasurementKey key_;
};

template <>
std::optional<std::vector<double>> RunMeasurements<double>::recall(
    const fitness::Candidate& candidate) const;
template <>
void RunMeasurements<double>::remember(const fitness::Candidate& candidate,
                                       const std::vector<double>& values) const;
template <>
std::optional<std::vector<models::WindowScore>> RunMeasurements<models::WindowScore>::recall(
    const fitness::Candidate& candidate) const;
template <>
void RunMeasurements<models::WindowScore>::remember(
    const fitness::Candidate& candidate, const std::vector<models::WindowScore>& values) const;

}  // namespace regroup::runs
