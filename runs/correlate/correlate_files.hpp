#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "runs/correlate/correlate_inputs.hpp"
#include "runs/correlate/grouping_samples.hpp"

namespace regroup::runs {

/// What was found, ready to be written.
struct CorrelateResult {
  std::vector<std::string> proxies;
  std::vector<GroupingSample> samples;
  fitness::LossEstimate source;
};

/// samples.csv: one row a sample.
std::string samples_csv(const CorrelateResult& result);

/// correlations.json. A value that is not defined is absent.
nlohmann::ordered_json correlations_json(const CorrelateResult& result,
                                         const CorrelateOptions& options,
                                         const CorrelateInputs& inputs);

/// correlations.csv: one row for each proxy and measure, of the same document.
std::string correlations_csv(const nlohmann::ordered_json& correlations);

/// The same for people.
std::string correlations_text(const nlohmann::ordered_json& correlations);

}  // namespace regroup::runs
