#include "fitness/measured_score.hpp"

#include <map>

#include "search/parallel.hpp"
#include "tests/fixtures/tiny_llama.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::fitness;
using namespace regroup::tests;

namespace {

/// Keeps losses in memory and counts.
class CountingMemory : public LossMemory {
 public:
  std::optional<std::vector<double>> recall(const search::Grouping& grouping,
                                            const models::MergeRecipe&) const override {
    const auto found = kept_.find(grouping);
    return found == kept_.end() ? std::nullopt : std::optional(found->second);
  }
  void remember(const search::Grouping& grouping, const models::MergeRecipe&,
                const std::vector<double>& losses) const override {
    kept_[grouping] = losses;
    ++measured_;
  }
  int measured() const { return measured_; }

 private:
  mutable std::map<search::Grouping, std::vector<double>> kept_;
  mutable int measured_ = 0;
};

}  // namespace

TEST_CASE("a measured score is the converted model's mean loss, measured once, for any threads") {
  const TemporaryDirectory scratch;
  TinyLlama().write(scratch.path());
  const models::LanguageModel model(
      std::make_shared<const models::PretrainedModel>(models::open_model(scratch.path())),
      models::ComputeOptions{});
  std::vector<std::int32_t> stream;
  search::RandomStream random{search::RandomKey(61)};
  for (int i = 0; i < 401; ++i) stream.push_back(random.below(20));
  const auto windows = models::TokenWindows::of_stream(stream, 16, 0, "stream");
  const LossMeter meter(std::make_shared<const models::Converter>(model, nullptr), windows);
  const auto alone = search::Partition::singletons(4);
  const search::Grouping grouping{{{search::Partition::parse("0 2 | 1 | 3"), alone},
                                   {alone, search::Partition::parse("0 1 2 3")}}};
  search::SilentProgress silent;
  for (const char* merge_name : {"mean", "first"}) {
    const models::MergeOperator& merge = models::find_merge(merge_name);
    const double expected =
        estimate(model.grouped(grouping, merge).window_losses(windows, {}, silent)).mean;
    const CountingMemory memory;
    const MeasuredScore score(meter, merge, memory, {});
    CHECK(score.score(grouping) == expected);
    CHECK(score.score(grouping) == expected);
    CHECK(memory.measured() == 1);
    const CountingMemory other;
    search::set_threads(3);
    CHECK(MeasuredScore(meter, merge, other, {}).score(grouping) == expected);
    search::set_threads(1);
    CHECK(score.score({{{alone, alone}, {alone, alone}}}) ==
          estimate(meter.source({}, silent)).mean);
  }
}
