// Models with a scratch compute what others do.

#include <span>
#include <vector>

#include "models/calibration/moment_tensors.hpp"
#include "models/files/scratch.hpp"
#include "models/language_model/candidate_meter.hpp"
#include "models/language_model/merger.hpp"
#include "tests/models/language_model/family_scene.hpp"
#include "tests/support/catch.hpp"

using namespace regroup;
using namespace regroup::models;
using namespace regroup::tests;

namespace {

/// Whether moments are equal to the bit.
bool same_numbers(const LayerMoments& a, const LayerMoments& b) {
  std::vector<Eigen::MatrixXd> numbers;
  for_each_moment(a, [&](std::string_view, const auto& values) { numbers.emplace_back(values); });
  std::size_t i = 0;
  std::size_t same = 0;
  for_each_moment(b, [&](std::string_view, const auto& values) {
    same += i < numbers.size() && numbers[i] == Eigen::MatrixXd(values) ? 1 : 0;
    ++i;
  });
  return same == numbers.size();
}

}  // namespace

TEST_CASE("in every family a model that spares memory computes the same, to the bit") {
  use_one_thread_per_operation();
  for (const std::string_view architecture : tiny_families()) {
    for (const DType dtype : {DType::kF32, DType::kBF16}) {
      CAPTURE(architecture, dtype);
      const Family family(architecture, dtype);
      const TemporaryDirectory files;
      const LanguageModel model = family.open();
      ComputeOptions sparing;
      sparing.scratch = std::make_shared<const Scratch>(files.path(), 0);
      const LanguageModel spared = family.open(sparing);
      const Windows windows = random_windows(model.config(), 11, 3);
      const auto of_model = std::make_shared<const Calibration>(calibrate(model, windows));
      const auto of_spared = std::make_shared<const Calibration>(calibrate(spared, windows));
      CHECK(of_spared->layers.empty());
      for (std::size_t layer = 0; layer < of_model->layers.size(); ++layer) {
        CHECK(same_numbers(of_model->layers[layer], *of_spared->moments(layer)));
      }
      const auto file = files.path() / "calibration.safetensors";
      const std::string written = write_calibration(file, *of_spared, model.pretrained());
      CHECK(written == write_calibration(file, *of_model, model.pretrained()));
      const MergeRecipe recipe{best_merge(model), false,
                               can_refit_queries(model.config()) ? Refit::kBoth : Refit::kOutput};
      const search::Grouping grouping = uniform(model, pairs_of(model));
      search::SilentProgress silent;
      const auto scores = [&](const LanguageModel& source,
                              const std::shared_ptr<const Calibration>& calibration) {
        const LanguageModel merged = Merger(source, calibration).merged_model(grouping, recipe, {});
        return merged.compare(source.source_states(windows, {}, silent), {}, silent);
      };
      const auto expected = scores(model, of_model);
      CHECK(expected.front().divergence > 0);
      CHECK((scores(spared, of_spared) == expected));
      const CandidateMeter meter(std::make_shared<const Merger>(spared, of_spared), windows);
      CHECK((meter.scores(std::span(&grouping, 1), {recipe}, {}, silent).front() == expected));
    }
  }
}
