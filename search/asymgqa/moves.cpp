#include "search/asymgqa/moves.hpp"

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

namespace regroup::search {
namespace {

constexpr double kMoveChance = 0.5;

bool is_alone(const Partition& partition, Head head) {
  const std::span<const Label> labels = partition.labels();
  return std::count(labels.begin(), labels.end(), labels[head.at()]) == 1;
}

}  // namespace

Partition random_move(const Partition& partition, const NearestHeads& nearest, AsymGqaMoves moves,
                      RandomStream& random) {
  const Head a(random.below(partition.heads()));
  const std::vector<Head> partners = nearest.outside_group(partition, a, kPartners);
  const Head b = partners[random.below(partners.size())];
  const bool put = moves == AsymGqaMoves::kSwapsAndMoves && random.chance(kMoveChance);
  std::vector<Label> labels(partition.labels().begin(), partition.labels().end());
  if (put && !is_alone(partition, a)) {
    labels[a.at()] = labels[b.at()];
  } else {
    std::swap(labels[a.at()], labels[b.at()]);
  }
  return Partition::from_labels(labels);
}

}  // namespace regroup::search
