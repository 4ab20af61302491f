#include "runs/correlate/measure_samples.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>
#include <vector>

namespace regroup::runs {
namespace {

using Scores = std::vector<models::WindowScore>;

/// Groupings measured together.
constexpr std::size_t kTogether = 16;

/// Windows by their grouping, in an order that depends on the groupings alone.
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
                                      const models::CandidateMeter& meter,
                                      const models::MergeRecipe& recipe, const RunLog& log,
                                      std::stop_token stop) {
  using Clock = std::chrono::steady_clock;
  const auto distinct = by_grouping(samples);
  std::vector<search::Grouping> groupings;
  for (const auto& [grouping, same] : distinct) groupings.push_back(grouping);
  const search::Grouping source = search::Grouping::uniform(
      static_cast<int>(groupings.front().layers.size()),
      search::Partition::singletons(groupings.front().layers.front().keys.heads()));
  const auto measure = [&](std::span<const search::Grouping> some) {
    return meter.scores(some, recipe, models::RefitScope::kAllFollowing, stop);
  };
  search::Progress& progress = log.progress();
  const auto started = Clock::now();
  progress.begin("measuring the source", meter.windows().tokens(), meter.windows().unit());
  const std::vector<double> source_losses =
      models::values_of(measure({&source, 1}).front(), &models::WindowScore::loss);
  progress.advance(meter.windows().tokens());
  progress.end();
  const std::chrono::duration<double> seconds = Clock::now() - started;
  log.log(fmt::format("{} groupings to measure, about {}", groupings.size(),
                      duration_text(seconds.count() * static_cast<double>(groupings.size()))));
  progress.begin("measuring groupings", groupings.size() * meter.windows().tokens(),
                 meter.windows().unit());
  for (std::size_t begin = 0; begin < groupings.size(); begin += kTogether) {
    const std::size_t count = std::min(kTogether, groupings.size() - begin);
    const std::vector<Scores> scores = measure(std::span(groupings).subspan(begin, count));
    for (std::size_t i = 0; i < count; ++i) {
      for (GroupingSample* sample : distinct.at(groupings[begin + i])) {
        fill_in(*sample, scores[i], source_losses);
      }
    }
    progress.advance(count * meter.windows().tokens());
  }
  progress.end();
  return fitness::estimate(source_losses);
}

}  // namespace regroup::runs
