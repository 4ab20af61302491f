// What was measured, in a run directory: names of files that earlier runs gave them, and what comes
// back.

#include "runs/directory/run_measurements.hpp"

#include <fstream>

#include "models/files/sha256.hpp"
#include "models/merge/operators/merge_table.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::runs;
using namespace regroup::tests;
using models::CacheType;
using models::RefitScope;
using models::WindowScore;

namespace {

/// One layer; keys in pairs, values as they are.
search::Grouping pairs() {
  return {{{search::Partition::parse("0 2 | 1 3"), search::Partition::singletons(4)}}};
}

models::Conversion first(CacheType cache = CacheType::kExact,
                         RefitScope scope = RefitScope::kAllFollowing) {
  return {models::MergeRecipe(models::find_merge("first")), scope, cache};
}

std::string hash(const std::string& text) {
  return models::sha256_hex(text);
}

}  // namespace

TEST_CASE("files of measurements have the names that earlier runs gave them") {
  const std::string content = "first\n0 2 | 1 3\n0 | 1 | 2 | 3";
  const search::Grouping source = search::Grouping::uniform(1, search::Partition::singletons(4));
  CHECK(reported_key({pairs(), first()}) == hash(content));
  CHECK(reported_key({pairs(), first(CacheType::kQ8_0)}) == hash(content + "\ncache q8_0"));
  CHECK(reported_key({source, first()}) == "source");
  CHECK(reported_key({source, first(CacheType::kQ4_0)}) == hash("source\ncache q4_0"));
  CHECK(selection_key("selection_loss")({pairs(), first()}) == hash("selection_loss\n" + content));
  CHECK(allocation_key({pairs(), first()}) == hash("allocation whole\n" + content));
  CHECK(allocation_key({pairs(), first(CacheType::kExact, RefitScope::kGroupedLayers)}) ==
        hash("allocation alone\n" + content));
}

TEST_CASE("measurements come back bit by bit, and what is broken counts as none") {
  const TemporaryDirectory scratch;
  RunDirectory directory(scratch.path() / "run", RunDirectory::Existing::kRefuse, {{"seed", 1}});
  directory.begin();
  const RunMeasurements<double> means(directory, 2, selection_key("selection_loss"));
  const RunMeasurements<WindowScore> scores(directory, 2, reported_key);
  const fitness::Candidate candidate{pairs(), first()};
  const std::vector<WindowScore> measured = {{1.0 / 3, 1e-17, 0.5, 0.25}, {2.5, 0, 1, 1}};
  CHECK_FALSE(means.recall(candidate));
  CHECK_FALSE(scores.recall(candidate));
  means.remember(candidate, {0.1, 1e300});
  scores.remember(candidate, measured);
  CHECK(means.recall(candidate) == std::vector{0.1, 1e300});
  CHECK((scores.recall(candidate) == measured));
  // Of other data: another number of windows.
  CHECK_FALSE(
      RunMeasurements<double>(directory, 3, selection_key("selection_loss")).recall(candidate));
  CHECK_FALSE(RunMeasurements<WindowScore>(directory, 1, reported_key).recall(candidate));
  std::ofstream(directory.state_folder() / "measured" / (reported_key(candidate) + ".json"))
      << "{\"loss\": [1, 2]}";
  CHECK_FALSE(scores.recall(candidate));
}
