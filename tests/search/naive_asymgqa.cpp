#include "tests/search/naive_asymgqa.hpp"

#include <algorithm>
#include <numeric>
#include <span>
#include <utility>

namespace regroup::tests {

using namespace regroup::search;

Labels labels_of(const Partition& partition) {
  return {partition.labels().begin(), partition.labels().end()};
}

Partition partition_of(const Labels& labels) {
  return Partition::from_labels(std::vector<Label>(labels.begin(), labels.end()));
}

std::vector<int> naive_partners(const Labels& labels, const Eigen::MatrixXd& distances, int a) {
  std::vector<std::pair<double, int>> others;
  for (int b = 0; b < static_cast<int>(labels.size()); ++b) {
    if (labels[static_cast<std::size_t>(b)] != labels[static_cast<std::size_t>(a)]) {
      others.emplace_back(distances(a, b), b);
    }
  }
  std::sort(others.begin(), others.end());
  std::vector<int> partners;
  for (std::size_t i = 0; i < std::min<std::size_t>(3, others.size()); ++i) {
    partners.push_back(others[i].second);
  }
  return partners;
}

namespace {

class NaiveSearch {
 public:
  NaiveSearch(const CostTable& table, const Eigen::MatrixXd& distances, int groups, bool swaps_only)
      : table_(table), distances_(distances), groups_(groups), swaps_only_(swaps_only) {}

  Partition run(const AsymGqaOptions& options, RandomKey key) const {
    RandomStream start(key.split(0));
    Labels current = random_labels(start);
    Labels best = current;
    for (int i = 1; i <= options.iterations; ++i) {
      RandomStream random(key.split(static_cast<std::uint64_t>(i)));
      if (random.unit() < options.reset) current = random_labels(random);
      const Labels next = moved(current, random);
      const bool better = cost(next) < cost(best);
      if (better) best = next;
      if (better || random.unit() < options.accept) current = next;
    }
    return partition_of(best);
  }

 private:
  double cost(const Labels& labels) const { return table_.partition_cost(partition_of(labels)); }

  Labels random_labels(RandomStream& random) const {
    Labels order(static_cast<std::size_t>(table_.heads()));
    std::iota(order.begin(), order.end(), 0);
    random.shuffle(std::span(order));
    Labels labels(order.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
      labels[static_cast<std::size_t>(order[i])] = static_cast<int>(i) % groups_;
    }
    return labels;
  }

  Labels moved(Labels labels, RandomStream& random) const {
    // Groups have no order, so canonical labels change nothing but the draws' meaning: none.
    const int a = random.below(static_cast<int>(labels.size()));
    const std::vector<int> partners = naive_partners(labels, distances_, a);
    const int b = partners[random.below(partners.size())];
    int& at_a = labels[static_cast<std::size_t>(a)];
    int& at_b = labels[static_cast<std::size_t>(b)];
    const bool alone = std::count(labels.begin(), labels.end(), at_a) == 1;
    const bool put = !swaps_only_ && random.unit() < 0.5;
    if (put && !alone) {
      at_a = at_b;
    } else {
      std::swap(at_a, at_b);
    }
    return labels;
  }

  const CostTable& table_;
  const Eigen::MatrixXd& distances_;
  int groups_;
  bool swaps_only_;
};

}  // namespace

Partition naive_unit_search(const CostTable& table, const Eigen::MatrixXd& distances, int groups,
                            AsymGqaMoves moves, const AsymGqaOptions& options, RandomKey key) {
  return NaiveSearch(table, distances, groups, moves == AsymGqaMoves::kSwaps).run(options, key);
}

}  // namespace regroup::tests
