#include "fitness/wide_cost.hpp"

#include <utility>

#include "models/merge/shared_head.hpp"
#include "search/costs/spectral_relaxation.hpp"

namespace regroup::fitness {

WideCost::WideCost(std::shared_ptr<const ResidualCost> narrow, int multiple)
    : SubsetCost(narrow->heads()), narrow_(std::move(narrow)), multiple_(multiple) {}

double WideCost::compute_cost(std::span<const search::Head> members) const {
  if (std::cmp_less_equal(members.size(), multiple_)) return 0;
  return narrow_->widths().residual(ids_of(members), multiple_);
}

double WideCost::cost_of_nothing() const {
  const models::MergeProblem& problem = narrow_->problem();
  const auto nothing =
      models::SharedHead::weighted(problem.layout, Eigen::VectorXd::Zero(problem.heads));
  return models::residual(nothing, problem.products, narrow_->weights());
}

std::unique_ptr<const search::Relaxation> WideCost::relaxation() const {
  return std::make_unique<search::SpectralRelaxation>(*this, narrow_->spectral_bounds(multiple_));
}

}  // namespace regroup::fitness
