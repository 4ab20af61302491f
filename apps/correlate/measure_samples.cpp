#include "apps/correlate/measure_samples.hpp"

#include <fmt/format.h>

#include <chrono>
#include <map>
#include <utility>
#include <vector>

namespace regroup::apps {
namespace {

using Scores = std::vector<models::WindowScore>;

/// Samples by their grouping, in an order that depends on the groupings alone.
std::map<search::Grouping, std::vector<GroupingSample*>> by_grouping(
    std::span<GroupingSample> samples) {
  std::map<search::Grouping, std::vector<GroupingSample*>> distinct;
  for (GroupingSample& sample : samples) distinct[sample.grouping].push_back(&sample);
  return distinct;
}

void fill_in(GroupingSample& sample, const Scores& scores, const std::vector<double>& source) {
  sample.delta_loss =
      fitness::paired_difference(models::values_of(scores, &models::WindowScore::loss), source);
  sample.kl = fitness::estimate(models::values_of(scores, &models::WindowScore::divergence));
}

}  // namespace

fitness::LossEstimate measure_samples(std::span<GroupingSample> samples,
                                      const models::Converter& converter,
                                      const models::MergeRecipe& recipe,
                                      const models::TokenWindows& windows, const Console& console,
                                      std::stop_token stop) {
  search::Progress& progress = console.progress();
  const auto started = std::chrono::steady_clock::now();
  progress.begin("measuring the source", windows.tokens(), "tokens");
  const models::SourceStates states = converter.source().source_states(windows, stop, progress);
  progress.end();
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - started;
  const std::vector<double> source = models::values_of(states.scores(), &models::WindowScore::loss);
  const auto distinct = by_grouping(samples);
  console.log(fmt::format("{} groupings to measure, about {}", distinct.size(),
                          duration_text(seconds.count() * static_cast<double>(distinct.size()))));
  progress.begin("measuring groupings", distinct.size() * windows.tokens(), "tokens");
  for (const auto& [grouping, same] : distinct) {
    const Scores scores = converter.convert(grouping, recipe, stop).compare(states, stop, progress);
    for (GroupingSample* sample : same) fill_in(*sample, scores, source);
  }
  progress.end();
  return fitness::estimate(source);
}

}  // namespace regroup::apps
