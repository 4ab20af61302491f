#include "search/exact/piecewise.hpp"

#include "search/costs/descent.hpp"
#include "search/exact/budget_split.hpp"
#include "search/exact/subset_dp.hpp"

namespace regroup::search {
namespace {

constexpr int kPieceHeads = 8;

/// Some of a table's heads as a table of their own.
class PieceCosts : public CostTable {
 public:
  PieceCosts(const CostTable& whole, const std::vector<Head>& heads)
      : whole_(whole), heads_(heads) {}

  int heads() const override { return static_cast<int>(heads_.size()); }
  double group_cost(std::span<const Head> members) const override {
    std::vector<Head> mapped;
    for (const Head head : members) mapped.push_back(heads_[head.at()]);
    return whole_.group_cost(mapped);
  }

 private:
  const CostTable& whole_;
  const std::vector<Head>& heads_;
};

/// A partition of the whole that groups every piece by the chosen member of its front.
Partition join(int heads, const std::vector<std::vector<Head>>& pieces,
               const std::vector<UnitFront>& fronts, const std::vector<int>& choice) {
  std::vector<Label> labels(static_cast<std::size_t>(heads));
  int first = 0;
  for (std::size_t p = 0; p < pieces.size(); ++p) {
    const Partition& partition = fronts[p][static_cast<std::size_t>(choice[p])].partition;
    for (int i = 0; i < partition.heads(); ++i) {
      const int label = first + partition.group_of(Head(i)).value();
      labels[pieces[p][static_cast<std::size_t>(i)].at()] = static_cast<Label>(label);
    }
    first += partition.groups();
  }
  return Partition::from_labels(labels);
}

}  // namespace

UnitFront piecewise_partitions(const CostTable& table) {
  const int heads = table.heads();
  const Partition start = Partition::neighbours(heads, (heads + kPieceHeads - 1) / kPieceHeads);
  const std::vector<std::vector<Head>> pieces =
      descend(table, start, DescentMoves::kSwaps).members();
  std::vector<UnitFront> fronts;
  std::vector<std::vector<SplitOption>> options;
  for (const std::vector<Head>& piece : pieces) {
    fronts.push_back(subset_dp(PieceCosts(table, piece), GroupSizes::kArbitrary));
    options.emplace_back();
    for (const FrontMember& member : fronts.back()) {
      options.back().push_back({member.partition.groups(), member.cost});
    }
  }
  UnitFront result;
  if (pieces.size() > 1) {
    const Partition all = Partition::one_group(heads);
    result.push_back({all, table.partition_cost(all)});
  }
  for (const Split& split : budget_split(options, heads)) {
    const Partition partition = join(heads, pieces, fronts, split.choice);
    result.push_back({partition, table.partition_cost(partition)});
  }
  return result;
}

}  // namespace regroup::search
