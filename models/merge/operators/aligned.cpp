#include "models/merge/operators/operators.hpp"

#include <complex>

#include "models/algebra/dense_algebra.hpp"
#include "models/merge/normed_heads.hpp"

namespace regroup::models {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXcd;

constexpr int kMostRounds = 100;
constexpr double kLeastImprovement = 1e-5;

/// The rotations of all members of a group, as they turn towards the group's mean.
class Alignment {
 public:
  explicit Alignment(const MergeProblem& group) : group_(group), rows_(group.layout.block_rows()) {
    phases_.assign(group.layout.planes.size(), VectorXcd::Ones(group.heads));
    for (int h = 0; h < group.heads; ++h) rotations_.push_back(MatrixXd::Identity(rows_, rows_));
    // The first target is the lowest member, afterwards the mean.
    align_to(SharedHead::weighted(group.layout, Eigen::VectorXd::Unit(group.heads, 0)));
  }

  /// Turns every member towards the mean of all, as they stand.
  void align() { align_to(mean()); }

  SharedHead mean() const {
    SharedHead shared;
    for (const VectorXcd& phases : phases_) {
      shared.plane_combination.push_back(phases / group_.heads);
      shared.plane_factors.push_back(phases.conjugate());
    }
    shared.block_combination.resize(rows_, group_.heads * rows_);
    shared.block_factors.resize(group_.heads * rows_, rows_);
    for (int h = 0; h < group_.heads; ++h) {
      const MatrixXd& rotation = rotations_[static_cast<std::size_t>(h)];
      shared.block_combination.middleCols(h * rows_, rows_) = rotation / group_.heads;
      shared.block_factors.middleRows(h * rows_, rows_) = rotation.transpose();
    }
    return shared;
  }

 private:
  void align_to(const SharedHead& target) {
    for (std::size_t p = 0; p < phases_.size(); ++p) {
      const VectorXcd with_target =
          group_.products.planes[p] * target.plane_combination[p].conjugate();  // u_h C ūᴴ
      for (int h = 0; h < group_.heads; ++h) {
        const double size = std::abs(with_target[h]);
        phases_[p][h] = size > 0 ? std::conj(with_target[h]) / size : std::complex<double>(1, 0);
      }
    }
    if (rows_ == 0) return;
    const MatrixXd with_target =
        product(target.block_combination, group_.products.block.matrix());  // W̄ C W^hᵀ
    for (int h = 0; h < group_.heads; ++h) {
      rotations_[static_cast<std::size_t>(h)] =
          closest_orthogonal(with_target.middleCols(h * rows_, rows_));
    }
  }

  const MergeProblem& group_;
  Index rows_;
  std::vector<VectorXcd> phases_;    // by plane: one for each member
  std::vector<MatrixXd> rotations_;  // by member, of the block
};

/// The mean of heads that are first turned to agree as well as they can: generalised Procrustes
/// over activations, by the rotations that leave the un-merged model as it is (arXiv 2412.20677;
/// METHODS §7). In a rotary plane that is a phase, elsewhere an orthogonal matrix; its inverse is
/// folded into what reads the head. O(rounds · |g| · d³).
class AlignedMerge : public MergeOperator {
 public:
  std::string_view name() const override { return "aligned"; }
  MergeNeeds needs() const override { return MergeNeeds::kMoments; }
  bool folds() const override { return true; }
  bool allows_renorm() const override { return true; }
  SharedHead share(const MergeProblem& group) const override;
};

}  // namespace

SharedHead AlignedMerge::share(const MergeProblem& group) const {
  if (group.normed) return share_direction(group);
  // Σ_h ‖R_h W^h − W̄‖²_C = Σ_h ‖W^h‖²_C − n ‖W̄‖²_C: the rounds only have to watch the mean.
  const double energy = group.products.squared_norms(group.heads).sum();
  Alignment alignment(group);
  SharedHead mean = alignment.mean();
  double norm = squared_norm(mean, group.products);
  for (int round = 1; round < kMostRounds; ++round) {
    alignment.align();
    SharedHead next = alignment.mean();
    const double next_norm = squared_norm(next, group.products);
    const double improvement = group.heads * (next_norm - norm);
    mean = std::move(next);
    norm = next_norm;
    if (improvement < kLeastImprovement * energy) break;
  }
  return mean;
}

const MergeOperator& aligned_merge() {
  static const AlignedMerge instance;
  return instance;
}

}  // namespace regroup::models
