#pragma once

#include <span>
#include <vector>

#include "search/base/random.hpp"

namespace regroup::search {

// How many of H query heads each of G pooled key heads serves, from the norms of its keys (arXiv
// 2408.08454; METHODS §4). Norms are finite and ≥ 0, one per group; counts are ≥ 0, add up to H and
// follow the scores n that are made of the norms, each count round(n_g / Σ n · H), half to even.
// Where the norms are all the same, or Σ n = 0, the deal is the even one. O(G + H · G) a deal.

/// As equal as can be: query head q to group ⌊q · G / H⌋, as neighbour GQA does.
std::vector<int> deal_evenly(int groups, int queries);

/// KDGQA: scores (n − min n) / (max n − min n). While the counts add up to more than H the largest
/// is lowered, while to less the smallest is raised; the lowest group on ties.
///
/// Example: norms 1, 2, 4 and 8 query heads: scores 0, 1/3, 1, counts 0, 2, 6.
std::vector<int> deal_kdgqa(std::span<const double> norms, int queries);

/// What DGQA makes of the norms n of a window and of those of the window before (at first 0).
enum class DgqaKind {
  kDiff,  ///< |before − n|
  kEma,   ///< 0.9 n + 0.1 before
};

/// DGQA, one deal: of a window's norms and those of the window before it. Draws from `key`.
std::vector<int> deal_dgqa(std::span<const double> norms, std::span<const double> before,
                           int queries, DgqaKind kind, RandomKey key);

/// DGQA: deals after every window of `norms` [window][group], at least one, and keeps the last
/// deal. While the counts do not add up to H, a random one is lowered (not below 0) or raised by 1;
/// window w draws from the key's w-th child.
std::vector<int> deal_dgqa(std::span<const std::vector<double>> norms, int queries, DgqaKind kind,
                           RandomKey key);

}  // namespace regroup::search
