#pragma once

#include <Eigen/Core>
#include <vector>

namespace regroup::models {

/// Square roots of what weighs the errors of heads, the metrics P_h [b, b] (METHODS §7).
struct MetricRoot {
  Eigen::MatrixXd root;     ///< P^{1/2}
  Eigen::MatrixXd inverse;  ///< P^{−1/2}, the pseudo-inverse: exact for a singular P
};

/// One for each metric; eigenvalues up to 1e-12 of the largest count as 0. O(b³) each.
std::vector<MetricRoot> metric_roots(const std::vector<Eigen::MatrixXd>& metrics);

/// N = P^{1/2} W M Wᵀ P^{1/2} of heads stacked one after another, P = blockdiag(P_h): `products` is
/// W M Wᵀ [h·b, h·b]. O(h² b³).
Eigen::MatrixXd between_roots(const Eigen::Ref<const Eigen::MatrixXd>& products,
                              const std::vector<MetricRoot>& roots);

}  // namespace regroup::models
