#include "fitness/width_residuals.hpp"

#include <algorithm>

#include "models/merge/shared_head.hpp"

namespace regroup::fitness {

models::RowPrices WidthResiduals::row_prices(std::span<const int> members) const {
  return models::row_prices(models::restrict_to(problem_, members),
                            models::restrict_to(prices_, members));
}

double WidthResiduals::residual_of(const models::RowPrices& prices, int multiple) const {
  return prices.residual(models::SharedRows::of_heads(problem_.layout, multiple));
}

double WidthResiduals::residual(std::span<const int> members, int multiple) const {
  if (!remembers()) return residual_of(row_prices(members), multiple);
  const auto place =
      static_cast<std::size_t>(std::ranges::find(multiples_, multiple) - multiples_.begin());
  const std::vector<int> group(members.begin(), members.end());
  {
    const std::lock_guard lock(mutex_);
    const auto found = known_.find(group);
    if (found != known_.end()) return found->second.at(place);
  }
  const models::RowPrices prices = row_prices(members);
  std::vector<double> residuals;
  for (const int width : multiples_) residuals.push_back(residual_of(prices, width));
  const std::lock_guard lock(mutex_);
  return known_.try_emplace(group, std::move(residuals)).first->second.at(place);
}

}  // namespace regroup::fitness
