#include "models/merge/operators/operators.hpp"

#include <cmath>
#include <complex>

#include "models/algebra/dense_algebra.hpp"
#include "models/merge/metric_roots.hpp"
#include "models/merge/normed_heads.hpp"
#include "models/merge/row_prices.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

using Eigen::Index;
using Eigen::MatrixXcd;
using Eigen::MatrixXd;
using Eigen::VectorXcd;
using Eigen::VectorXd;

/// One pair of shared rows of a plane and the factor of each member.
struct PairShare {
  VectorXcd combination;
  VectorXcd factors;
};

/// Phase and scale of k̄ are free: a real factor at the largest member, the members' mean norm.
void normalise(PairShare& share, const VectorXcd& eigenvector, double norm) {
  Index largest = 0;
  eigenvector.cwiseAbs().maxCoeff(&largest);
  const std::complex<double> phase = share.factors[largest] / std::abs(share.factors[largest]);
  share.combination *= norm * phase;
  share.factors /= norm * phase;
}

/// Every member's own pair.
std::vector<PairShare> own_pairs(Index members) {
  std::vector<PairShare> pairs;
  for (Index h = 0; h < members; ++h) {
    pairs.push_back({VectorXcd::Unit(members, h), VectorXcd::Unit(members, h)});
  }
  return pairs;
}

/// Minimises Σ_h s_h E|u_h − Σ_m α_hm k̄_m|²: k̄ and α from the largest eigenpairs.
std::vector<PairShare> share_plane(const MatrixXcd& products, const VectorXd& energies, int count) {
  const Index members = products.rows();
  if (count == 0) return {};
  if (count == members && count > 1) return own_pairs(members);
  const PlaneSpectrum spectrum = plane_spectrum(products, energies, count > 1);
  std::vector<PairShare> pairs;
  for (int m = 0; m < count; ++m) {
    const VectorXcd vector = spectrum.vectors.col(m);
    if (!(spectrum.values[m] > 0)) {
      pairs.push_back({VectorXcd::Zero(members), VectorXcd::Zero(members)});
      continue;
    }
    PairShare share{vector.conjugate().cwiseProduct(spectrum.roots), {}};
    share.factors = count == 1
                        ? VectorXcd(products * share.combination.conjugate() / spectrum.values[m])
                        : VectorXcd(vector.cwiseQuotient(spectrum.roots));
    normalise(share, vector, std::sqrt(products.diagonal().real().mean() / spectrum.values[m]));
    pairs.push_back(std::move(share));
  }
  return pairs;
}

/// The truncated singular value decomposition of the stacked members, between P and the products;
/// with room for all rows every member's own.
void share_block(const MergeProblem& group, Index kept, SharedHead& shared) {
  const Index rows = group.layout.block_rows();
  const Index all = group.heads * rows;
  if (kept == all) {
    shared.block_combination = MatrixXd::Identity(all, all);
    shared.block_factors = MatrixXd::Identity(all, all);
    return;
  }
  if (kept == 0) {
    shared.block_combination.resize(0, all);
    shared.block_factors.resize(all, 0);
    return;
  }
  const std::vector<MetricRoot> roots = metric_roots(group.weights.block);
  const SymmetricEigen eigen = symmetric_eigen(between_roots(group.products.block.matrix(), roots));
  const MatrixXd top = eigen.vectors.rightCols(kept);
  shared.block_combination.resize(kept, all);
  shared.block_factors.resize(all, kept);
  Index at = 0;
  for (const MetricRoot& metric : roots) {
    const auto own = top.middleRows(at, rows);
    shared.block_combination.middleCols(at, rows).noalias() = own.transpose() * metric.root;
    shared.block_factors.middleRows(at, rows).noalias() = metric.inverse * own;
    at += rows;
  }
}

/// The shared head of least error under the moments of attention, in closed form (METHODS §7): in a
/// rotary plane the largest eigenpairs of the members' Gram, weighted by query energies; elsewhere
/// the truncated singular value decomposition of the stacked members. O((|g| · d)³).
class OptimalMerge : public MergeOperator {
 public:
  std::string_view name() const override { return "optimal"; }
  MergeNeeds needs() const override { return MergeNeeds::kMoments; }
  MergeMetric metric() const override { return MergeMetric::kAttention; }
  bool folds() const override { return true; }
  SharedHead share(const MergeProblem& group) const override;
  bool is_wide() const override { return true; }
  SharedHead share_wide(const MergeProblem& group, const SharedRows& rows) const override;
};

}  // namespace

SharedHead OptimalMerge::share(const MergeProblem& group) const {
  if (group.normed) return share_direction(group);
  return share_wide(group, SharedRows::of_heads(group.layout));
}

SharedHead OptimalMerge::share_wide(const MergeProblem& group, const SharedRows& rows) const {
  if (group.normed) throw WorkError({.what = "keys that a norm follows keep their width"});
  SharedHead shared;
  shared.pair_planes = rows.frequencies();
  for (std::size_t p = 0; p < group.products.planes.size(); ++p) {
    for (PairShare& pair :
         share_plane(group.products.planes[p], group.weights.planes[p], rows.planes[p])) {
      shared.plane_combination.push_back(std::move(pair.combination));
      shared.plane_factors.push_back(std::move(pair.factors));
    }
  }
  if (group.layout.block_rows() > 0) share_block(group, rows.block, shared);
  return shared;
}

const MergeOperator& optimal_merge() {
  static const OptimalMerge instance;
  return instance;
}

}  // namespace regroup::models
