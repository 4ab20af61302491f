#include "search/evolution/nsga2.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "search/base/error.hpp"
#include "search/evolution/variations/arbitrary_groups.hpp"
#include "search/evolution/variations/bounded_integers.hpp"
#include "search/evolution/variations/equal_groups.hpp"
#include "tests/search/function_evaluator.hpp"
#include "tests/support/catch.hpp"

using namespace regroup;
using namespace regroup::search;
using regroup::tests::FunctionEvaluator;

namespace {

/// A search without seeds, run to its end.
Nsga2 run(const Variation& variation, const Evaluator& evaluator,
          const Nsga2Options& options = {.population = 40, .generations = 30},
          std::uint64_t seed = 3) {
  Nsga2 search(variation, evaluator, Genomes(variation.genes()), options, RandomKey(seed));
  run_to_end(search, {}, {});
  return search;
}

}  // namespace

TEST_CASE("NSGA-II finds a known front") {
  // Σ genes against Σ (9 − gene): every sum is on the front.
  const BoundedIntegers variation(std::vector<Gene>(6, 10));
  const FunctionEvaluator evaluator([](std::span<const Gene> genes) {
    double sum = 0;
    for (const Gene gene : genes) sum += gene;
    return Objectives{sum, (54 - sum) * (54 - sum)};
  });
  const Nsga2 search = run(variation, evaluator, {.population = 100, .generations = 100});
  CHECK(search.archive().size() == 55);
}

TEST_CASE("the ends of the first front survive with infinite crowding") {
  const BoundedIntegers variation(std::vector<Gene>(6, 10));
  const FunctionEvaluator evaluator([](std::span<const Gene> genes) {
    double sum = 0;
    for (const Gene gene : genes) sum += gene;
    return Objectives{sum, 54 - sum};
  });
  const Nsga2State state = run(variation, evaluator).state();
  const auto by_size = [](const Objectives& a, const Objectives& b) { return a.size < b.size; };
  const auto [low, high] = std::ranges::minmax_element(state.objectives, by_size);
  for (const auto end : {low, high}) {
    const auto i = static_cast<std::size_t>(end - state.objectives.begin());
    CHECK(state.ranks[i] == 0);
    CHECK(std::isinf(state.crowding[i]));
  }
}

TEST_CASE("constant objectives and a single distinct candidate are handled") {
  const FunctionEvaluator constant([](std::span<const Gene>) { return Objectives{1, 1}; });
  CHECK(run(BoundedIntegers({5, 5}), constant).archive().size() == 1);
  const Nsga2 single = run(BoundedIntegers({1, 1}), constant);
  CHECK(single.archive().size() == 1);
  CHECK(single.evaluations() == 1);
  CHECK(run(ArbitraryGroups(1, 1, 1), constant).evaluations() == 1);
  CHECK(run(EqualGroups(1, {1}), constant).evaluations() == 1);
}

TEST_CASE("no candidate is evaluated twice in a generation, and the genes stay in range") {
  const BoundedIntegers variation({2, 3});
  std::vector<std::set<std::vector<Gene>>> batches;
  class Recorder : public Evaluator {
   public:
    explicit Recorder(std::vector<std::set<std::vector<Gene>>>& batches) : batches_(batches) {}
    void evaluate(const Genomes& candidates, std::span<Objectives> objectives) const override {
      std::set<std::vector<Gene>> batch;
      for (std::size_t i = 0; i < candidates.size(); ++i) {
        batch.insert({candidates[i].begin(), candidates[i].end()});
        CHECK(candidates[i][0] < 2);
        CHECK(candidates[i][1] < 3);
        objectives[i] = {1.0 * candidates[i][0], 1.0 * candidates[i][1]};
      }
      CHECK(batch.size() == candidates.size());
      batches_.push_back(batch);
    }

   private:
    std::vector<std::set<std::vector<Gene>>>& batches_;
  };
  const Recorder recorder(batches);
  run(variation, recorder, {.population = 10, .generations = 5});
  REQUIRE(batches.size() == 2);
  CHECK(batches[0].size() == 6);  // the whole space, after which nothing is new
  CHECK(batches[1].empty());
}

TEST_CASE("the same key gives the same run, another one another") {
  const ArbitraryGroups variation(10, 1, 10);
  const auto trace = [&](std::uint64_t seed) {
    std::vector<Gene> all;
    const FunctionEvaluator evaluator([&](std::span<const Gene> genes) {
      all.insert(all.end(), genes.begin(), genes.end());
      return Objectives{1.0 * genes[9], 1.0 * genes[5]};
    });
    run(variation, evaluator, {.population = 20, .generations = 5}, seed);
    return all;
  };
  CHECK(trace(1) == trace(1));
  CHECK(trace(1) != trace(2));
}

TEST_CASE("partitions made by variation are canonical and within the limit") {
  const ArbitraryGroups variation(9, 2, 4);
  RandomStream random(RandomKey(8));
  std::vector<Gene> a(9);
  std::vector<Gene> b(9);
  std::vector<Gene> child(9);
  std::set<int> counts;
  for (int i = 0; i < 2000; ++i) {
    variation.sample(random, a);
    variation.sample(random, b);
    variation.canonicalise(a);
    variation.canonicalise(b);
    variation.cross(a, b, random, child);
    variation.mutate(child, random);
    std::vector<Gene> canonical = child;
    variation.canonicalise(canonical);
    REQUIRE(canonical == child);
    const int groups = 1 + *std::max_element(child.begin(), child.end());
    REQUIRE(groups >= 2);
    REQUIRE(groups <= 4);
    counts.insert(groups);
  }
  CHECK(counts == std::set<int>{2, 3, 4});
}

TEST_CASE("equal groups stay equal, and genomes and partitions agree") {
  const EqualGroups variation(12, {1, 2, 3, 4, 6, 12});
  RandomStream random(RandomKey(9));
  std::vector<Gene> a(13);
  std::vector<Gene> b(13);
  std::vector<Gene> child(13);
  for (int i = 0; i < 1000; ++i) {
    variation.sample(random, a);
    variation.sample(random, b);
    variation.cross(a, b, random, child);
    variation.mutate(child, random);
    variation.canonicalise(child);
    const Partition partition = Partition::from_labels(variation.labels(child));
    REQUIRE(partition.has_equal_sizes());
    REQUIRE(variation.genome(partition) == child);
  }
}

TEST_CASE("a stop ends the search") {
  std::stop_source stop;
  const BoundedIntegers variation(std::vector<Gene>(9, 9));
  const FunctionEvaluator evaluator([](std::span<const Gene>) { return Objectives{}; });
  Nsga2 search(variation, evaluator, Genomes(9), {.population = 4, .generations = 50},
               RandomKey(1));
  const auto observe = [&](const Nsga2& now) {
    if (now.generation() == 2) stop.request_stop();
  };
  CHECK_THROWS_AS(run_to_end(search, stop.get_token(), observe), Interrupted);
  CHECK(search.generation() == 2);
}

TEST_CASE("an objective that is no number is refused") {
  const FunctionEvaluator evaluator([](std::span<const Gene>) {
    return Objectives{1, std::nan("")};
  });
  CHECK_THROWS_AS(run(BoundedIntegers({5, 5}), evaluator), WorkError);
}
