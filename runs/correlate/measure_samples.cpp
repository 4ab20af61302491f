#include "runs/correlate/measure_samples.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>
#include <vector>

#include "fitness/measuring/measuring_service.hpp"

namespace regroup::runs {
namespace {

using Scores = std::vector<models::WindowScore>;
using Service = fitness::MeasuringService<models::WindowScore>;

/// Groupings whose scores are in memory together.
constexpr std::size_t kTogether = 256;

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
  std::vector<fitness::Candidate> candidates;
  for (const auto& [grouping, same] : distinct) candidates.push_back({grouping, {recipe}});
  const auto workers = fitness::score_workers(meter);
  const fitness::NoMeasurements<models::WindowScore> nothing_kept;
  const Service service(*workers, nothing_kept, std::move(stop));
  search::Progress& progress = log.progress();
  const auto started = Clock::now();
  progress.begin("measuring the source", meter.windows().tokens(), meter.windows().unit());
  service.prepare(progress);
  progress.end();
  const std::chrono::duration<double> seconds = Clock::now() - started;
  log.log(fmt::format("{} groupings to measure, about {}", candidates.size(),
                      duration_text(seconds.count() * static_cast<double>(candidates.size()))));
  search::SilentProgress silent;
  const std::vector<double> source_losses = models::values_of(
      service.measure({models::source_grouping(meter.merger().source().config())}, silent),
      &models::WindowScore::loss);
  progress.begin("measuring groupings", candidates.size() * meter.windows().tokens(),
                 meter.windows().unit());
  for (std::size_t begin = 0; begin < candidates.size(); begin += kTogether) {
    const auto some =
        std::span(candidates).subspan(begin, std::min(kTogether, candidates.size() - begin));
    const std::vector<Scores> scores = service.measure(some, progress);
    for (std::size_t i = 0; i < some.size(); ++i) {
      for (GroupingSample* sample : distinct.at(some[i].grouping)) {
        fill_in(*sample, scores[i], source_losses);
      }
    }
  }
  progress.end();
  return fitness::estimate(source_losses);
}

void uptrain_samples(std::span<GroupingSample> samples, const models::Merger& merger,
                     const models::MergeRecipe& recipe, const UptrainSetting& setting,
                     const RunLog& log, std::stop_token stop) {
  auto distinct = by_grouping(samples);
  std::erase_if(distinct, [](const auto& one) {
    return std::ranges::all_of(
        one.second, [](const GroupingSample* sample) { return sample->layer.has_value(); });
  });
  GroupingTraining training(merger, nullptr, setting, log, std::move(stop));
  std::size_t number = 0;
  for (const auto& [grouping, same] : distinct) {
    const std::string name = fmt::format("grouping {} of {}", ++number, distinct.size());
    const auto scores = training.scores(grouping, recipe, name);
    const auto delta = fitness::paired_difference(
        models::values_of(scores, &models::WindowScore::loss),
        models::values_of(training.source(), &models::WindowScore::loss));
    for (GroupingSample* sample : same) {
      if (!sample->layer) sample->uptrained_delta = delta;
    }
  }
}

}  // namespace regroup::runs
