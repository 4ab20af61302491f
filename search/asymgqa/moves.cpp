#include "search/asymgqa/moves.hpp"

#include <algorithm>
#include <numeric>
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

Partition random_equal_groups(int heads, int groups, RandomStream& random) {
  std::vector<std::size_t> order(static_cast<std::size_t>(heads));
  std::iota(order.begin(), order.end(), std::size_t{0});
  random.shuffle(std::span(order));
  const Partition blocks = Partition::neighbours(heads, groups);
  std::vector<Label> labels(order.size());
  for (std::size_t place = 0; place < order.size(); ++place) {
    labels[order[place]] = blocks.labels()[place];
  }
  return Partition::from_labels(labels);
}

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
