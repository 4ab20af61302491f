#include "search/evolution/variations/bounded_integers.hpp"

#include <algorithm>

namespace regroup::search {
namespace {

constexpr double kFurtherNumber = 0.5;
constexpr double kStep = 0.7;  // the rest redraws

Gene stepped(Gene value, Gene bound, RandomStream& random) {
  if (bound == 1) return value;
  if (value == 0) return 1;
  if (value + 1 == bound) return static_cast<Gene>(value - 1);
  return static_cast<Gene>(random.chance(0.5) ? value + 1 : value - 1);
}

}  // namespace

void BoundedIntegers::sample(RandomStream& random, std::span<Gene> out) const {
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<Gene>(random.below(std::uint64_t{bounds_[i]}));
  }
}

void BoundedIntegers::cross(std::span<const Gene> a, std::span<const Gene> b, RandomStream& random,
                            std::span<Gene> child) const {
  std::size_t from = random.below(std::uint64_t{a.size()} + 1);
  std::size_t to = random.below(std::uint64_t{a.size()} + 1);
  if (from > to) std::swap(from, to);
  for (std::size_t i = 0; i < a.size(); ++i) child[i] = (i >= from && i < to) ? b[i] : a[i];
}

void BoundedIntegers::mutate(std::span<Gene> genome, RandomStream& random) const {
  do {
    const std::size_t i = random.below(std::uint64_t{genome.size()});
    genome[i] = random.chance(kStep) ? stepped(genome[i], bounds_[i], random)
                                     : static_cast<Gene>(random.below(std::uint64_t{bounds_[i]}));
  } while (random.chance(kFurtherNumber));
}

}  // namespace regroup::search
