#include "fitness/width_residuals.hpp"

#include <algorithm>
#include <utility>

#include "models/merge/row_prices.hpp"

namespace regroup::fitness {

WidthResiduals::WidthResiduals(models::MergeProblem problem, models::HeadWeights prices,
                               std::vector<int> multiples)
    : problem_(std::move(problem)), prices_(std::move(prices)), multiples_(std::move(multiples)) {}

double WidthResiduals::residual(std::span<const int> members, int multiple) const {
  const auto place =
      static_cast<std::size_t>(std::ranges::find(multiples_, multiple) - multiples_.begin());
  const std::vector<int> group(members.begin(), members.end());
  {
    const std::lock_guard lock(mutex_);
    const auto found = known_.find(group);
    if (found != known_.end()) return found->second.at(place);
  }
  const std::vector<double> computed = compute(members);
  const std::lock_guard lock(mutex_);
  return known_.try_emplace(group, computed).first->second.at(place);
}

std::vector<double> WidthResiduals::compute(std::span<const int> members) const {
  const models::RowPrices prices = models::row_prices(models::restrict_to(problem_, members),
                                                      models::restrict_to(prices_, members));
  std::vector<double> residuals;
  for (const int multiple : multiples_) {
    residuals.push_back(prices.residual(models::SharedRows::of_heads(problem_.layout, multiple)));
  }
  return residuals;
}

}  // namespace regroup::fitness
