#include "models/refit/output_refit.hpp"

#include "models/algebra/dense_algebra.hpp"
#include "models/tensors/eigen_tensors.hpp"

namespace regroup::models {
namespace {

constexpr double kOutputRidge = 1e-3;

}  // namespace

void OutputRefit::add(std::size_t share, const at::Tensor& received, const at::Tensor& wanted) {
  Sums& sums = shares_[share];
  const at::Tensor a = received.to(at::kDouble);
  const at::Tensor t = wanted.to(at::kDouble);
  accumulate(sums.moment, at::mm(a.t(), a).cpu());
  accumulate(sums.cross, at::mm(t.t(), a).cpu());
  accumulate(sums.received, a.sum(0).cpu());
  accumulate(sums.wanted, t.sum(0).cpu());
  sums.tokens += static_cast<double>(a.size(0));
}

OutputProjection OutputRefit::solve(const OutputProjection& merged) const {
  Sums total = shares_[0];
  for (std::size_t share = 1; share < kWindowShares; ++share) {
    const Sums& part = shares_[share];
    if (!part.moment.defined()) continue;
    total.moment = total.moment + part.moment;
    total.cross = total.cross + part.cross;
    total.received = total.received + part.received;
    total.wanted = total.wanted + part.wanted;
    total.tokens += part.tokens;
  }
  Eigen::MatrixXd moment = to_symmetric_matrix(total.moment / total.tokens);
  Eigen::MatrixXd cross = to_matrix(total.cross / total.tokens);
  const Eigen::VectorXd received = to_vector(total.received / total.tokens);
  const Eigen::VectorXd wanted = to_vector(total.wanted / total.tokens);
  const bool has_bias = merged.bias.size() > 0;
  if (has_bias) {
    moment -= received * received.transpose();
    cross -= wanted * received.transpose();
  }
  const double ridge = kOutputRidge * moment.trace() / static_cast<double>(moment.rows());
  OutputProjection result = merged;
  // What never varies leaves nothing to fit.
  if (ridge > 0) {
    moment.diagonal().array() += ridge;
    const Eigen::MatrixXd right = cross + ridge * merged.weight;
    result.weight = solve_positive_definite(moment, right.transpose()).transpose();
  }
  if (has_bias) result.bias = wanted - result.weight * received;
  return result;
}

}  // namespace regroup::models
