#include "search/costs/key_grams.hpp"

#include <algorithm>
#include <cmath>

namespace regroup::search {
namespace {

double pooled_norm(const Eigen::MatrixXd& gram, const std::vector<Head>& group) {
  double sum = 0;
  for (const Head i : group) {
    for (const Head j : group) sum += gram(i.value(), j.value());
  }
  // Heads that cancel each other leave rounding errors of either sign.
  return std::sqrt(std::max(0.0, sum)) / static_cast<double>(group.size());
}

}  // namespace

std::vector<std::vector<double>> pooled_norms(const std::vector<Eigen::MatrixXd>& windows,
                                              const Partition& partition) {
  const std::vector<std::vector<Head>> members = partition.members();
  std::vector<std::vector<double>> norms;
  for (const Eigen::MatrixXd& gram : windows) {
    std::vector<double>& window = norms.emplace_back();
    for (const std::vector<Head>& group : members) window.push_back(pooled_norm(gram, group));
  }
  return norms;
}

std::vector<double> summed_norms(const std::vector<std::vector<double>>& windows) {
  std::vector<double> sums(windows[0].size());
  for (const std::vector<double>& window : windows) {
    for (std::size_t g = 0; g < sums.size(); ++g) sums[g] += window[g];
  }
  return sums;
}

}  // namespace regroup::search
