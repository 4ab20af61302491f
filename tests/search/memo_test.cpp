#include "search/evolution/memo_evaluator.hpp"

#include <map>

#include "search/base/random.hpp"
#include "search/evolution/genome_index.hpp"
#include "tests/support/catch.hpp"

using namespace regroup;
using namespace regroup::search;

namespace {

/// Objectives from the genes, and how many candidates were looked at.
class CountingEvaluator : public Evaluator {
 public:
  void evaluate(const Genomes& candidates, std::span<Objectives> objectives) const override {
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      objectives[i] = {1.0 * candidates[i][0], 2.0 * candidates[i][1]};
    }
    looked_at += candidates.size();
  }
  mutable std::size_t looked_at = 0;
};

std::vector<Gene> random_genome(std::size_t genes, Gene bound, RandomStream& random) {
  std::vector<Gene> genome(genes);
  for (Gene& gene : genome) gene = static_cast<Gene>(random.below(std::size_t{bound}));
  return genome;
}

}  // namespace

TEST_CASE("an index numbers genomes as they come and finds them again") {
  for (const std::size_t genes :
       {std::size_t{1}, std::size_t{3}, std::size_t{4}, std::size_t{33}}) {
    GenomeIndex index(genes);
    std::map<std::vector<Gene>, std::size_t> naive;
    RandomStream random{RandomKey(genes)};
    for (int draw = 0; draw < 3000; ++draw) {
      const std::vector<Gene> genome = random_genome(genes, 7, random);
      const auto [entry, fresh] = naive.emplace(genome, naive.size());
      const GenomeIndex::Place place = index.insert(genome);
      REQUIRE(place.is_new == fresh);
      REQUIRE(place.number == entry->second);
      REQUIRE(std::ranges::equal(index[place.number], genome));
    }
    CHECK(index.size() == naive.size());
    index.clear();
    CHECK(index.size() == 0);
    CHECK(index.insert(random_genome(genes, 7, random)).is_new);
  }
}

TEST_CASE("a memo gives what its evaluator gives and asks it once") {
  const CountingEvaluator inner;
  const MemoEvaluator memo(inner, 2, 50);
  RandomStream random{RandomKey(61)};
  for (int batch = 0; batch < 20; ++batch) {
    Genomes candidates(2);
    for (int i = 0; i < 30; ++i) candidates.append(random_genome(2, 4, random));
    std::vector<Objectives> objectives(candidates.size());
    memo.evaluate(candidates, objectives);
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      const auto genome = std::as_const(candidates)[i];
      CHECK(objectives[i] == Objectives{1.0 * genome[0], 2.0 * genome[1]});
    }
    if (batch == 0) CHECK(inner.looked_at <= 16);  // distinct ones only
  }
  CHECK(inner.looked_at == memo.misses());
  CHECK(inner.looked_at < 16 * 20);  // it is emptied where a batch might not fit
}

TEST_CASE("a full memo starts anew") {
  const CountingEvaluator inner;
  const MemoEvaluator memo(inner, 1 + 1, 2);
  Genomes one(2);
  one.append(std::vector<Gene>{1, 1});
  Genomes two(2);
  two.append(std::vector<Gene>{1, 2});
  two.append(std::vector<Gene>{1, 3});
  std::vector<Objectives> objectives(2);
  memo.evaluate(one, std::span(objectives).first(1));
  memo.evaluate(one, std::span(objectives).first(1));
  CHECK(inner.looked_at == 1);
  memo.evaluate(two, objectives);  // does not fit beside the first
  memo.evaluate(one, std::span(objectives).first(1));
  CHECK(inner.looked_at == 4);
  CHECK(objectives[0] == Objectives{1, 2});
}
