#include "fitness/wide_cost.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "models/merge/row_prices.hpp"
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
  double sum = 0;
  for (std::size_t p = 0; p < prices_.planes.size(); ++p) {
    sum += prices_.planes[p].dot(problem_.products.planes[p].diagonal().real().cwiseMax(0));
  }
  const Eigen::Index rows = problem_.layout.block_rows();
  for (std::size_t h = 0; h < prices_.block.size() && rows > 0; ++h) {
    const Eigen::Index at = static_cast<Eigen::Index>(h) * rows;
    sum += prices_.block[h].cwiseProduct(problem_.products.block.block(at, at, rows, rows)).sum();
  }
  return std::max(0.0, sum);
}

std::unique_ptr<const search::Relaxation> WideCost::relaxation() const {
  return std::make_unique<search::SpectralRelaxation>(*this, narrow_->spectral_bounds(multiple_));
}

}  // namespace regroup::fitness
