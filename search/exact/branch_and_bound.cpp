#include "search/exact/branch_and_bound.hpp"

#include <algorithm>
#include <limits>
#include <queue>
#include <utility>

#include "search/base/error.hpp"
#include "search/costs/relaxation.hpp"

namespace regroup::search {
namespace {

/// A subset with what its relaxation said.
struct Node {
  PartitionSubset subset;
  RelaxedSubset relaxed;
  std::size_t number = 0;  // in the order of making, to break ties

  /// For a queue that hands out the least bound first.
  bool operator<(const Node& other) const {
    return std::pair(relaxed.bound, number) > std::pair(other.relaxed.bound, other.number);
  }
};

Partition partition_of(const PartitionSubset& subset, int heads) {
  std::vector<Label> labels(static_cast<std::size_t>(heads));
  for (std::size_t b = 0; b < subset.blocks.size(); ++b) {
    for (const Head head : subset.blocks[b]) labels[head.at()] = static_cast<Label>(b);
  }
  return Partition::from_labels(labels);
}

bool holds(const PartitionSubset& subset, const Partition& partition) {
  const auto together = [&](Head a, Head b) {
    return partition.group_of(a) == partition.group_of(b);
  };
  for (const std::vector<Head>& block : subset.blocks) {
    for (const Head head : block) {
      if (!together(block.front(), head)) return false;
    }
  }
  return std::ranges::none_of(subset.apart,
                              [&](const auto& pair) { return together(pair.first, pair.second); });
}

/// True if a pair that must stay apart lies in one block: the subset is empty.
bool is_contradictory(const PartitionSubset& subset) {
  for (const std::vector<Head>& block : subset.blocks) {
    for (const auto& [a, b] : subset.apart) {
      const bool has_a = std::ranges::find(block, a) != block.end();
      if (has_a && std::ranges::find(block, b) != block.end()) return true;
    }
  }
  return false;
}

PartitionSubset joined(const PartitionSubset& subset, std::size_t a, std::size_t b) {
  PartitionSubset result = subset;
  std::vector<Head>& target = result.blocks[a];
  target.insert(target.end(), result.blocks[b].begin(), result.blocks[b].end());
  result.blocks.erase(result.blocks.begin() + static_cast<std::ptrdiff_t>(b));
  return result;
}

PartitionSubset kept_apart(const PartitionSubset& subset, std::size_t a, std::size_t b) {
  PartitionSubset result = subset;
  for (const Head i : subset.blocks[a]) {
    for (const Head j : subset.blocks[b]) result.apart.emplace_back(i, j);
  }
  return result;
}

}  // namespace

class BranchAndBound::Tree {
 public:
  Tree(const CostTable& table, const Relaxation& relaxation, const Partition& incumbent,
       BranchOptions options)
      : table_(table),
        relaxation_(relaxation),
        options_(std::move(options)),
        best_{incumbent, table.partition_cost(incumbent)} {}

  void explore(std::size_t nodes, std::stop_token stop) {
    if (!has_begun_) {
      has_begun_ = true;
      add(PartitionSubset::all(table_.heads()), 0.0, options_.root_effort);
    }
    while (!open_.empty() && best_.nodes < nodes && !is_within_tolerance()) {
      if (stop.stop_requested()) throw Interrupted();
      Node node = open_.top();
      open_.pop();
      const auto [a, b] = node.relaxed.undecided;
      node.subset.dual = node.relaxed.dual;
      add(joined(node.subset, a, b), node.relaxed.bound, options_.node_effort);
      add(kept_apart(node.subset, a, b), node.relaxed.bound, options_.node_effort);
    }
  }

  BoundedPartition result() const {
    BoundedPartition result = best_;
    if (!has_begun_) return result;
    result.bound = std::min({best_.cost, least_open_bound(), pruned_bound_});
    result.is_optimal = open_.empty() || is_within_tolerance();
    return result;
  }

 private:
  int groups() const { return best_.partition.groups(); }
  double least_open_bound() const {
    return open_.empty() ? std::numeric_limits<double>::infinity() : open_.top().relaxed.bound;
  }
  bool is_within_tolerance() const { return best_.cost - least_open_bound() <= options_.tolerance; }

  /// Relaxes a subset and keeps it if a better partition may be in it.
  void add(PartitionSubset subset, double parent_bound, int effort) {
    const auto blocks = static_cast<int>(subset.blocks.size());
    if (blocks < groups() || is_contradictory(subset) || is_too_large(subset)) return;
    if (blocks == groups()) {
      offer(partition_of(subset, table_.heads()));
      return;
    }
    ++best_.nodes;
    const double cutoff = best_.cost - options_.tolerance;
    RelaxedSubset relaxed = relaxation_.relax(subset, groups(), cutoff, effort);
    relaxed.bound = std::max(relaxed.bound, parent_bound);
    const bool is_decided = relaxed.undecided.first == relaxed.undecided.second;
    if (is_decided || relaxed.bound > cutoff) {
      // Decided with more blocks than groups: nothing left to join, hence no partition.
      require_planted_is_not_in(subset, is_decided ? "decided" : "bounded");
      if (!is_decided) pruned_bound_ = std::min(pruned_bound_, relaxed.bound);
      return;
    }
    open_.push({std::move(subset), std::move(relaxed), best_.nodes});
  }

  /// True if a block has outgrown the equal size that is asked for.
  bool is_too_large(const PartitionSubset& subset) const {
    if (options_.sizes == GroupSizes::kArbitrary) return false;
    const auto most = static_cast<std::size_t>(table_.heads() / groups());
    return std::ranges::any_of(subset.blocks,
                               [&](const std::vector<Head>& block) { return block.size() > most; });
  }

  void offer(const Partition& partition) {
    const double cost = table_.partition_cost(partition);
    if (cost >= best_.cost) return;
    best_.partition = partition;
    best_.cost = cost;
  }

  void require_planted_is_not_in(const PartitionSubset& subset, const char* why) const {
    const auto& planted = options_.planted;
    if (!planted || planted->groups() != groups() || !holds(subset, *planted)) return;
    const double cost = table_.partition_cost(*planted);
    if (cost >= best_.cost - options_.tolerance) return;
    throw WorkError({.what = "branch and bound pruned a partition that is known to be better",
                     .where = why,
                     .expected = planted->to_string(),
                     .found = best_.partition.to_string()});
  }

  const CostTable& table_;
  const Relaxation& relaxation_;
  BranchOptions options_;
  BoundedPartition best_;
  bool has_begun_ = false;
  std::priority_queue<Node> open_;
  double pruned_bound_ = std::numeric_limits<double>::infinity();  // least of the subsets given up
};

BranchAndBound::BranchAndBound(const CostTable& table, const Relaxation& relaxation,
                               const Partition& incumbent, BranchOptions options)
    : tree_(std::make_unique<Tree>(table, relaxation, incumbent, std::move(options))) {}

BranchAndBound::~BranchAndBound() = default;
BranchAndBound::BranchAndBound(BranchAndBound&&) noexcept = default;

void BranchAndBound::explore(std::size_t nodes, std::stop_token stop) {
  tree_->explore(nodes, stop);
}

BoundedPartition BranchAndBound::result() const {
  return tree_->result();
}

}  // namespace regroup::search
