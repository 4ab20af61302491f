// The workers of a single process: one meter, whose calls spread over the threads.

#include <algorithm>
#include <utility>

#include "fitness/measuring/workers.hpp"

namespace regroup::fitness {
namespace {

using models::CandidateMeter;
using models::Conversion;

/// Candidates measured together, at most: as many are lost if the process ends.
constexpr std::size_t kTogether = 64;

/// Candidates from `begin` on that are measured together: of one conversion, and only one where
/// layers are fitted, which takes longer than what measuring together saves.
std::size_t count_together(std::span<const Candidate> candidates, std::size_t begin) {
  const Conversion& conversion = candidates[begin].conversion;
  if (conversion.recipe.fits_layers()) return 1;
  const auto rest = candidates.subspan(begin, std::min(kTogether, candidates.size() - begin));
  const auto end = std::ranges::find_if(
      rest, [&](const Candidate& candidate) { return !(candidate.conversion == conversion); });
  return static_cast<std::size_t>(end - rest.begin());
}

template <class Value>
class LocalWorkers : public Workers<Value> {
 public:
  using typename Workers<Value>::Sink;

  void measure(std::span<const Candidate> candidates, std::stop_token stop,
               search::Progress& progress, const Sink& sink) const override {
    for (std::size_t begin = 0; begin < candidates.size();) {
      const std::size_t count = count_together(candidates, begin);
      std::vector<search::Grouping> groupings;
      for (const Candidate& candidate : candidates.subspan(begin, count)) {
        groupings.push_back(candidate.grouping);
      }
      auto values = ask(groupings, candidates[begin].conversion, stop, progress);
      for (std::size_t i = 0; i < count; ++i) sink(begin + i, std::move(values[i]));
      begin += count;
    }
  }

 private:
  virtual std::vector<std::vector<Value>> ask(std::span<const search::Grouping> groupings,
                                              const Conversion& conversion, std::stop_token stop,
                                              search::Progress& progress) const = 0;
};

class ScoreWorkers : public LocalWorkers<models::WindowScore> {
 public:
  explicit ScoreWorkers(const CandidateMeter& meter) : meter_(meter) {}

  void prepare(std::stop_token stop, search::Progress& progress) const override {
    meter_.run_source(std::move(stop), progress);
  }

 private:
  std::vector<std::vector<models::WindowScore>> ask(std::span<const search::Grouping> groupings,
                                                    const Conversion& conversion,
                                                    std::stop_token stop,
                                                    search::Progress& progress) const override {
    return meter_.scores(groupings, conversion, std::move(stop), progress);
  }

  const CandidateMeter& meter_;
};

class MeanWorkers : public LocalWorkers<double> {
 public:
  MeanWorkers(const CandidateMeter& meter, models::TokenMeasure measure)
      : meter_(meter), measure_(measure) {}

  void prepare(std::stop_token, search::Progress&) const override {}

 private:
  std::vector<std::vector<double>> ask(std::span<const search::Grouping> groupings,
                                       const Conversion& conversion, std::stop_token stop,
                                       search::Progress& progress) const override {
    return meter_.measure(groupings, conversion, measure_, std::move(stop), progress);
  }

  const CandidateMeter& meter_;
  models::TokenMeasure measure_;
};

}  // namespace

std::unique_ptr<Workers<models::WindowScore>> score_workers(const CandidateMeter& meter) {
  return std::make_unique<ScoreWorkers>(meter);
}

std::unique_ptr<Workers<double>> mean_workers(const CandidateMeter& meter,
                                              models::TokenMeasure measure) {
  return std::make_unique<MeanWorkers>(meter, measure);
}

}  // namespace regroup::fitness
