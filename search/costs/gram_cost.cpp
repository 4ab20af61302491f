#include "search/costs/gram_cost.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "search/base/error.hpp"
#include "search/costs/gram_relaxation.hpp"

namespace regroup::search {
namespace {

/// A Gram entry is a double sum over ~10⁶ products; a distance this far below its two norms is 0.
constexpr double kGramRounding = 1e-12;

void require_gram(const Eigen::MatrixXd& gram) {
  if (gram.rows() != gram.cols() || gram.rows() < 1 || gram.rows() > Partition::kMaxHeads) {
    throw InputError({.what = "Gram matrix is not square",
                      .expected = "[n, n], n from 1 to 1024",
                      .found = fmt::format("[{}, {}]", gram.rows(), gram.cols())});
  }
  if (!gram.allFinite()) throw InputError({.what = "Gram matrix holds NaN or Inf"});
}

double rounded_distance(const Eigen::MatrixXd& gram, Eigen::Index i, Eigen::Index j) {
  const double norms = gram(i, i) + gram(j, j);
  const double distance = norms - gram(i, j) - gram(j, i);
  return distance > kGramRounding * norms ? distance : 0.0;
}

}  // namespace

GramCost::GramCost(const Eigen::MatrixXd& gram) {
  require_gram(gram);
  const Eigen::Index n = gram.rows();
  distance_ = Eigen::MatrixXd::Zero(n, n);
  for (Eigen::Index i = 0; i < n; ++i) {
    for (Eigen::Index j = 0; j < i; ++j) {
      distance_(i, j) = distance_(j, i) = rounded_distance(gram, i, j);
    }
  }
}

double GramCost::group_cost(std::span<const Head> members) const {
  if (members.empty()) return 0;
  double distances = 0;
  for (std::size_t i = 0; i < members.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) distances += distance(members[i], members[j]);
  }
  return distances / static_cast<double>(members.size());
}

double GramCost::partition_cost(std::span<const Label> labels) const {
  std::array<double, Partition::kMaxHeads> distances;
  std::array<int, Partition::kMaxHeads> sizes;
  std::size_t groups = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const std::size_t group = labels[i];
    if (group == groups) {
      distances[groups] = 0;
      sizes[groups++] = 0;
    }
    const double* row = distance_.col(static_cast<Eigen::Index>(i)).data();
    double sum = 0;
    for (std::size_t j = 0; j < i; ++j) sum += labels[j] == group ? row[j] : 0.0;
    distances[group] += sum;
    ++sizes[group];
  }
  double cost = 0;
  for (std::size_t group = 0; group < groups; ++group) cost += distances[group] / sizes[group];
  return cost;
}

double GramCost::serving_cost(Head head, std::span<const Head> members) const {
  const auto size = static_cast<double>(members.size());
  double distances = 0;
  for (const Head member : members) distances += distance(head, member);
  // The difference of the two is a square; rounding must not make it negative.
  return std::max(0.0, (distances - group_cost(members)) / size);
}

std::unique_ptr<PartitionState> GramCost::state(const Partition& partition) const {
  return std::make_unique<GramCostState>(*this, partition);
}

std::unique_ptr<const Relaxation> GramCost::relaxation() const {
  // Any Gram with these distances will do; this is the one of the vectors about their mean.
  return std::make_unique<GramRelaxation>(-0.5 * distance_);
}

GramCostState::GramCostState(const GramCost& table, const Partition& partition)
    : PartitionState(partition),
      table_(&table),
      distances_to_(Eigen::MatrixXd::Zero(heads(), slots())) {
  for (int g = 0; g < slots(); ++g) {
    const std::vector<Head>& group = members(Group(g));
    distances_.push_back(table.group_cost(group) * static_cast<double>(group.size()));
    for (const Head member : group) distances_to_.col(g) += table.distances(member);
  }
}

double GramCostState::group_cost(Group group) const {
  const std::vector<Head>& heads = members(group);
  return heads.empty() ? 0 : distances_[group.at()] / static_cast<double>(heads.size());
}

double GramCostState::cost() const {
  double total = 0;
  for (int g = 0; g < slots(); ++g) total += group_cost(Group(g));
  return total;
}

double GramCostState::move_delta(Head head, Group target) const {
  const Group home = group_of(head);
  if (home == target) return 0;
  const auto home_size = static_cast<double>(members(home).size());
  const auto target_size = static_cast<double>(members(target).size());
  const double left = distances_[home.at()] - distances_to(head, home);
  const double joined = distances_[target.at()] + distances_to(head, target);
  const double home_cost = home_size > 1 ? left / (home_size - 1) : 0;
  return home_cost + joined / (target_size + 1) - group_cost(home) - group_cost(target);
}

double GramCostState::swap_delta(Head a, Head b) const {
  const Group home_a = group_of(a);
  const Group home_b = group_of(b);
  if (home_a == home_b) return 0;
  const double between = table_->distance(a, b);
  const double change_a = distances_to(b, home_a) - between - distances_to(a, home_a);
  const double change_b = distances_to(a, home_b) - between - distances_to(b, home_b);
  return change_a / static_cast<double>(members(home_a).size()) +
         change_b / static_cast<double>(members(home_b).size());
}

void GramCostState::move(Head head, Group target) {
  const Group home = group_of(head);
  if (home == target) return;
  const double left = distances_[home.at()] - distances_to(head, home);
  distances_[target.at()] += distances_to(head, target);
  distances_to_.col(home.value()) -= table_->distances(head);
  distances_to_.col(target.value()) += table_->distances(head);
  PartitionState::move(head, target);
  // A lone head has no distances; saying so keeps rounding from piling up over many moves.
  distances_[home.at()] = members(home).size() > 1 ? left : 0;
}

}  // namespace regroup::search
