#include "fitness/wide_cost.hpp"

#include <utility>
#include <vector>

#include "models/merge/row_prices.hpp"
#include "models/merge/shared_head.hpp"
#include "search/costs/spectral_relaxation.hpp"

namespace regroup::fitness {

WideCost::WideCost(models::MergeProblem problem, models::HeadWeights prices, int multiple,
                   std::shared_ptr<const ResidualCost> narrow)
    : SubsetCost(problem.heads),
      problem_(std::move(problem)),
      prices_(std::move(prices)),
      multiple_(multiple),
      narrow_(std::move(narrow)) {}

double WideCost::compute_cost(std::span<const search::Head> members) const {
  if (std::cmp_less_equal(members.size(), multiple_)) return 0;
  const std::vector<int> ids = ids_of(members);
  const models::RowPrices prices =
      models::row_prices(models::restrict_to(problem_, ids), models::restrict_to(prices_, ids));
  return prices.residual(models::SharedRows::of_heads(problem_.layout, multiple_));
}

double WideCost::cost_of_nothing() const {
  const auto nothing =
      models::SharedHead::weighted(problem_.layout, Eigen::VectorXd::Zero(problem_.heads));
  return models::residual(nothing, problem_.products, prices_);
}

std::unique_ptr<const search::Relaxation> WideCost::relaxation() const {
  return std::make_unique<search::SpectralRelaxation>(*this, narrow_->spectral_bounds(multiple_));
}

}  // namespace regroup::fitness
