#pragma once

#include <span>

#include "search/base/random.hpp"
#include "search/evolution/genomes.hpp"

namespace regroup::search {

/// How an evolutionary search makes candidates of one kind. Implementations are stateless, so any
/// number of threads may share one; every draw comes from the stream passed in.
class Variation {
 public:
  virtual ~Variation() = default;
  /// Length of every candidate.
  virtual std::size_t genes() const = 0;
  /// A random candidate.
  virtual void sample(RandomStream& random, std::span<Gene> out) const = 0;
  /// A child of two parents; `child` aliases neither.
  virtual void cross(std::span<const Gene> a, std::span<const Gene> b, RandomStream& random,
                     std::span<Gene> child) const = 0;
  /// Changes a canonical candidate a little, in place.
  virtual void mutate(std::span<Gene> genome, RandomStream& random) const = 0;
  /// Brings a candidate to the one form that equal candidates share.
  virtual void canonicalise(std::span<Gene> genome) const = 0;
};

}  // namespace regroup::search
