#pragma once

#include "search/asymgqa/nearest_heads.hpp"
#include "search/base/random.hpp"
#include "search/groupings/partition.hpp"

namespace regroup::search {

/// What AsymGQA may do to a partition: exchange two heads, which keeps the groups' sizes, or also
/// put one head into another group.
enum class AsymGqaMoves { kSwaps, kSwapsAndMoves };

/// Heads among which the partner of a move is drawn.
inline constexpr int kPartners = 3;

/// The partition after one random move; the number of groups stays. Draws in this order: head a,
/// uniform; head b, uniform among the kPartners heads nearest to a outside its group; with
/// kSwapsAndMoves one of two with equal chance, to put a into b's group or to exchange a and b. A
/// head that is alone is always exchanged: its group must not go. The partition must have at least
/// two groups.
Partition random_move(const Partition& partition, const NearestHeads& nearest, AsymGqaMoves moves,
                      RandomStream& random);

}  // namespace regroup::search
