// Searches by two objectives, bit for bit: the digests are those of the code that knew no third.

#include <bit>
#include <cstdint>

#include "search/evolution/nsga2.hpp"
#include "search/evolution/variations/bounded_integers.hpp"
#include "tests/search/function_evaluator.hpp"
#include "tests/support/catch.hpp"

using namespace regroup::search;
using regroup::tests::FunctionEvaluator;

namespace {

/// FNV-1a over numbers of 64 bits.
class Digest {
 public:
  void add(std::uint64_t number) {
    for (int byte = 0; byte < 8; ++byte) {
      value_ = (value_ ^ ((number >> (8 * byte)) & 0xff)) * 1099511628211u;
    }
  }
  void add(double number) { add(std::bit_cast<std::uint64_t>(number)); }
  void add(std::span<const Gene> genome) {
    for (const Gene gene : genome) add(std::uint64_t{gene});
  }
  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 14695981039346656037u;
};

std::uint64_t digest(const Nsga2State& state) {
  Digest digest;
  digest.add(std::uint64_t{state.evaluations});
  for (std::size_t i = 0; i < state.population.size(); ++i) {
    digest.add(state.population[i]);
    digest.add(state.objectives[i].size);
    digest.add(state.objectives[i].error);
    digest.add(static_cast<std::uint64_t>(state.ranks[i]));
    digest.add(state.crowding[i]);
  }
  for (const ParetoArchive::Entry& entry : state.archive) {
    digest.add(std::span<const Gene>(entry.genome));
    digest.add(entry.objectives.size);
    digest.add(entry.objectives.error);
  }
  return digest.value();
}

Nsga2State run(double size_limit) {
  const BoundedIntegers variation(std::vector<Gene>(8, 10));
  const FunctionEvaluator evaluator([](std::span<const Gene> genes) {
    Objectives sum;
    for (int place = 0; const int gene : genes) {
      sum.size += gene;
      sum.error += (9 - gene) * (9 - gene) * (1 + place % 3) + (7 * gene + 3 * place) % 5;
      ++place;
    }
    return sum;
  });
  const Nsga2Options options = {.population = 50, .generations = 40, .size_limit = size_limit};
  Nsga2 search(variation, evaluator, Genomes(8), options, RandomKey(11));
  run_to_end(search, {}, {});
  return search.state();
}

}  // namespace

TEST_CASE("a search by two objectives goes as it always did") {
  const Nsga2State free = run(Nsga2Options().size_limit);
  CHECK(free.archive.size() == 48);
  CHECK(digest(free) == 4637425574358715018u);
  const Nsga2State limited = run(30);
  CHECK(limited.archive.size() == 29);
  CHECK(digest(limited) == 15895730044595542385u);
}
