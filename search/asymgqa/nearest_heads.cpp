#include "search/asymgqa/nearest_heads.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "search/base/error.hpp"

namespace regroup::search {
namespace {

double cosine_distance(const Eigen::MatrixXd& gram, Eigen::Index i, Eigen::Index j) {
  const double norms = std::sqrt(gram(i, i)) * std::sqrt(gram(j, j));
  if (!(norms > 0)) return 1;
  return std::clamp(1 - gram(i, j) / norms, 0.0, 2.0);
}

}  // namespace

Eigen::MatrixXd cosine_distances(const Eigen::MatrixXd& gram) {
  if (gram.rows() != gram.cols()) {
    throw InputError({.what = "Gram matrix is not square",
                      .found = fmt::format("[{}, {}]", gram.rows(), gram.cols())});
  }
  if (!gram.allFinite()) throw InputError({.what = "Gram matrix holds NaN or Inf"});
  Eigen::MatrixXd distances = Eigen::MatrixXd::Zero(gram.rows(), gram.cols());
  for (Eigen::Index i = 0; i < gram.rows(); ++i) {
    for (Eigen::Index j = 0; j < i; ++j) {
      distances(i, j) = distances(j, i) = cosine_distance(gram, i, j);
    }
  }
  return distances;
}

NearestHeads::NearestHeads(const Eigen::MatrixXd& distances) {
  const auto n = static_cast<int>(distances.rows());
  for (int head = 0; head < n; ++head) {
    std::vector<Head>& others = order_.emplace_back();
    for (int other = 0; other < n; ++other) {
      if (other != head) others.emplace_back(other);
    }
    std::stable_sort(others.begin(), others.end(), [&](Head a, Head b) {
      return distances(head, a.value()) < distances(head, b.value());
    });
  }
}

std::vector<Head> NearestHeads::outside_group(const Partition& partition, Head head,
                                              int most) const {
  std::vector<Head> nearest;
  for (const Head other : order_[head.at()]) {
    if (partition.group_of(other) == partition.group_of(head)) continue;
    nearest.push_back(other);
    if (static_cast<int>(nearest.size()) == most) break;
  }
  return nearest;
}

}  // namespace regroup::search
