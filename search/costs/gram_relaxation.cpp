#include "search/costs/gram_relaxation.hpp"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <limits>

namespace regroup::search {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

/// Rounding of a bound, relative to the trace: it must hold in spite of it.
constexpr double kTraceRounding = 1e-13;
/// Steps between two looks at the bound.
constexpr int kStepsPerBound = 10;
/// The method ends early after as many looks that each closed less than this part of what is open.
constexpr int kLooksInVain = 2;
constexpr double kLeastProgress = 0.005;
/// The method's penalty over the mean squared length of a head; measured best between 1 and 3.
constexpr double kPenalty = 2.0;

/// Heads to blocks: columns 1_S / √|S|.
MatrixXd contraction(const PartitionSubset& subset, Index heads) {
  MatrixXd columns = MatrixXd::Zero(heads, static_cast<Index>(subset.blocks.size()));
  for (std::size_t b = 0; b < subset.blocks.size(); ++b) {
    const double entry = 1 / std::sqrt(static_cast<double>(subset.blocks[b].size()));
    for (const Head head : subset.blocks[b]) {
      columns(head.value(), static_cast<Index>(b)) = entry;
    }
  }
  return columns;
}

/// The symmetric matrices on the complement of a unit vector, by an orthonormal basis of it.
class Complement {
 public:
  /// Householder reflection that takes the last axis to `unit`; its other columns are the basis.
  explicit Complement(const VectorXd& unit) {
    const Index n = unit.size();
    VectorXd axis = unit;
    axis[n - 1] += unit[n - 1] >= 0 ? 1 : -1;
    const MatrixXd reflection =
        MatrixXd::Identity(n, n) - 2 / axis.squaredNorm() * axis * axis.transpose();
    basis_ = reflection.leftCols(n - 1);
  }
  MatrixXd restrict(const MatrixXd& matrix) const { return basis_.transpose() * matrix * basis_; }
  MatrixXd vectors(const MatrixXd& eigenvectors) const { return basis_ * eigenvectors; }

 private:
  MatrixXd basis_;
};

/// Σ of clip(values − shift, 0, 1).
double clipped_sum(const VectorXd& values, double shift) {
  return (values.array() - shift).max(0.0).min(1.0).sum();
}

/// The nearest point of {0 ≤ x ≤ 1, Σ x = total}: clip(values − shift, 0, 1), by bisection.
VectorXd nearest_in_slice(const VectorXd& values, double total) {
  double low = values.minCoeff() - 1;
  double high = values.maxCoeff();
  for (int i = 0; i < 60; ++i) {
    const double shift = 0.5 * (low + high);
    (clipped_sum(values, shift) > total ? low : high) = shift;
  }
  return (values.array() - high).max(0.0).min(1.0).matrix();
}

/// The relaxation of one subset, all in blocks.
class Contracted {
 public:
  Contracted(const MatrixXd& gram, const PartitionSubset& subset, int groups)
      : columns_(contraction(subset, gram.rows())),
        gram_(columns_.transpose() * gram * columns_),
        trace_(gram.trace()),
        ones_(columns_.colwise().sum().transpose() / std::sqrt(static_cast<double>(gram.rows()))),
        complement_(ones_),
        free_(groups - 1) {
    apart_ = Eigen::ArrayXXd::Zero(gram_.rows(), gram_.cols());
    for (const auto& [a, b] : subset.apart) {
      const Index i = block_of(a);
      const Index j = block_of(b);
      apart_(i, j) = apart_(j, i) = 1;
    }
  }

  Index blocks() const { return gram_.rows(); }
  double scale() const { return trace_ / static_cast<double>(columns_.rows()); }

  /// The spectral bound of the Gram plus multipliers.
  double bound(const MatrixXd& multipliers) const {
    const MatrixXd sum = gram_ + multipliers;
    const Eigen::SelfAdjointEigenSolver<MatrixXd> solver(complement_.restrict(sum),
                                                         Eigen::EigenvaluesOnly);
    const double along_ones = ones_.dot(sum * ones_);
    const double most = solver.eigenvalues().tail(free_).sum() + along_ones;
    return trace_ - most - kTraceRounding * (trace_ + std::abs(most));
  }

  /// The nearest projection-like matrix: trace, X1 = 1 and eigenvalues hold, signs may not.
  MatrixXd nearest_spectral(const MatrixXd& matrix) const {
    const Eigen::SelfAdjointEigenSolver<MatrixXd> solver(complement_.restrict(matrix));
    const VectorXd values = nearest_in_slice(solver.eigenvalues(), static_cast<double>(free_));
    const MatrixXd vectors = complement_.vectors(solver.eigenvectors());
    return vectors * values.asDiagonal() * vectors.transpose() + ones_ * ones_.transpose();
  }

  /// The nearest matrix with the signs of a partition.
  MatrixXd nearest_signed(const MatrixXd& matrix) const {
    return (matrix.array().max(0.0) * (1 - apart_)).matrix();
  }

  MatrixXd contract(const MatrixXd& by_heads) const {
    return columns_.transpose() * by_heads * columns_;
  }
  MatrixXd expand(const MatrixXd& by_blocks) const {
    return columns_ * by_blocks * columns_.transpose();
  }
  const MatrixXd& gram() const { return gram_; }
  bool must_stay_apart(Index a, Index b) const { return apart_(a, b) != 0; }
  double size(Index block) const {
    return ones_[block] * ones_[block] * static_cast<double>(columns_.rows());
  }

 private:
  Index block_of(Head head) const {
    Index block = 0;
    columns_.row(head.value()).maxCoeff(&block);
    return block;
  }

  MatrixXd columns_;
  MatrixXd gram_;
  double trace_;
  VectorXd ones_;
  Complement complement_;
  Index free_;
  Eigen::ArrayXXd apart_;
};

/// The two blocks whose share of a group is most in doubt: with X_ij √(|i||j|) between 0 (apart)
/// and their part of the smaller diagonal (together).
std::pair<std::size_t, std::size_t> most_undecided(const Contracted& problem, const MatrixXd& x) {
  std::pair<std::size_t, std::size_t> best{0, 0};
  double most = 1e-6;
  for (Index i = 0; i < problem.blocks(); ++i) {
    for (Index j = 0; j < i; ++j) {
      if (problem.must_stay_apart(i, j)) continue;
      // By heads: the entries between the two blocks, and inside each.
      const double between = x(i, j) / std::sqrt(problem.size(i) * problem.size(j));
      const double inside = std::min(x(i, i) / problem.size(i), x(j, j) / problem.size(j));
      const double doubt = std::min(between, inside - between);
      if (doubt > most) {
        most = doubt;
        best = {static_cast<std::size_t>(j), static_cast<std::size_t>(i)};
      }
    }
  }
  return best;
}

/// Any two blocks that may still be joined.
std::pair<std::size_t, std::size_t> any_undecided(const Contracted& problem, const MatrixXd& x) {
  std::pair<std::size_t, std::size_t> best{0, 0};
  double most = -std::numeric_limits<double>::infinity();
  for (Index i = 0; i < problem.blocks(); ++i) {
    for (Index j = 0; j < i; ++j) {
      if (!problem.must_stay_apart(i, j) && x(i, j) > most) {
        most = x(i, j);
        best = {static_cast<std::size_t>(j), static_cast<std::size_t>(i)};
      }
    }
  }
  return best;
}

}  // namespace

GramRelaxation::GramRelaxation(const MatrixXd& gram) {
  const VectorXd means = gram.rowwise().mean();
  gram_ = gram;
  gram_.colwise() -= means;
  gram_.rowwise() -= means.transpose();
  gram_.array() += means.mean();
}

RelaxedSubset GramRelaxation::relax(const PartitionSubset& subset, int groups, double cutoff,
                                    int effort) const {
  const Contracted problem(gram_, subset, groups);
  const double penalty = kPenalty * std::max(problem.scale(), 1e-300);
  // ADMM in scaled form: x is spectral, z is signed, u their dual; Y = −penalty · u.
  MatrixXd u = subset.dual ? MatrixXd(problem.contract(*subset.dual) / -penalty)
                           : MatrixXd(MatrixXd::Zero(problem.blocks(), problem.blocks()));
  MatrixXd z = problem.nearest_signed(problem.nearest_spectral(problem.gram() / penalty - u));
  MatrixXd best_u = u;
  RelaxedSubset result;
  result.bound = problem.bound(-penalty * u);
  MatrixXd x = z;
  int in_vain = 0;
  for (int step = 1; step <= effort && result.bound <= cutoff && in_vain < kLooksInVain; ++step) {
    x = problem.nearest_spectral(z - u + problem.gram() / penalty);
    z = problem.nearest_signed(x + u);
    u += x - z;
    if (step % kStepsPerBound != 0 && step != effort) continue;
    const double bound = problem.bound(-penalty * u);
    const bool gains = bound - result.bound > kLeastProgress * (cutoff - result.bound);
    in_vain = gains ? 0 : in_vain + 1;
    if (bound > result.bound) {
      result.bound = bound;
      best_u = u;
    }
  }
  result.undecided = most_undecided(problem, x);
  if (result.undecided.first == result.undecided.second) {
    result.undecided = any_undecided(problem, x);
  }
  result.dual = std::make_shared<const MatrixXd>(problem.expand(-penalty * best_u));
  return result;
}

}  // namespace regroup::search
