// What ranks of an MPI job send each other: candidates and scores come out as they went in.

#include "runs/ranks/rank_messages.hpp"

#include <cmath>
#include <limits>

#include "models/merge/operators/merge_table.hpp"
#include "search/base/error.hpp"
#include "tests/support/catch.hpp"

using namespace regroup;
using runs::HelperJob;
using search::Group;
using search::Partition;

namespace {

/// Candidates with everything that a grouping and a conversion can have.
std::vector<fitness::Candidate> candidates() {
  const Partition pairs = Partition::neighbours(4, 2);
  search::Grouping wide = search::Grouping::uniform(2, pairs);
  wide.layers[1].values = Partition::one_group(4);
  wide.layers[0].widths = search::GroupWidths{8, {12, 8}, {16, 4}, true};
  search::Grouping dealt = search::Grouping::uniform(2, pairs);
  dealt.layers[1].query_to_group = {Group(0), Group(1), Group(1), Group(0)};
  const models::MergeRecipe fitted(models::find_merge("optimal"), false, models::Refit::kBoth, 60);
  const models::MergeRecipe renormed(models::find_merge("aligned"), true);
  return {{wide, {fitted, models::RefitScope::kGroupedLayers, models::CacheType::kQ4_0}},
          {dealt, {renormed, models::RefitScope::kAllFollowing, models::CacheType::kExact}}};
}

}  // namespace

TEST_CASE("a rank is asked for just the candidates that are to be measured") {
  const HelperJob job{{"run/calibration.safetensors", "run", "abc", {"one", "two"}}, candidates()};
  const HelperJob read = runs::read_job(runs::job_message(job));
  CHECK(read.setup == job.setup);
  REQUIRE(read.candidates.size() == job.candidates.size());
  for (std::size_t i = 0; i < read.candidates.size(); ++i) {
    CHECK(read.candidates[i].grouping == job.candidates[i].grouping);
    CHECK(read.candidates[i].conversion == job.candidates[i].conversion);
    CHECK(fitness::identity(read.candidates[i]) == fitness::identity(job.candidates[i]));
  }
}

TEST_CASE("scores go from rank to rank without losing a bit") {
  const double tiny = std::numeric_limits<double>::denorm_min();
  models::WindowScore odd;
  odd.loss = 1.0 / 3;
  odd.divergence = tiny;
  odd.agreement = -0.0;
  const runs::CandidateScores scores = {{odd, {}}, {}, {odd}};
  const runs::CandidateScores read = runs::read_scores(runs::scores_message(scores));
  REQUIRE(read.size() == 3);
  CHECK((read == scores));
  CHECK(std::signbit(read[0][0].agreement));
}

TEST_CASE("bytes that no rank sends are refused") {
  std::vector<std::byte> cut = runs::job_message({{}, candidates()});
  cut.resize(cut.size() / 2);
  CHECK_THROWS_AS(runs::read_job(cut), WorkError);
  CHECK_THROWS_AS(runs::read_scores(runs::job_message({{}, candidates()})), WorkError);
  CHECK_THROWS_AS(runs::read_job({}), WorkError);
}
