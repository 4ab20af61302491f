#include "fitness/price.hpp"

namespace regroup::fitness {

std::string_view Price::name() const {
  return is_measured() ? measured_->name : summed_->name();
}

std::string_view Price::field() const {
  return is_measured() ? measured_->field : summed_->name();
}

PriceLabel Price::label() const {
  return is_measured() ? measured_->label : summed_->label();
}

models::MergeNeeds Price::needs() const {
  return is_measured() ? models::MergeNeeds::kNothing : summed_->needs();
}

double Price::group_work(const models::ModelConfig& config, const models::MergeOperator& merge,
                         int members) const {
  return is_measured() ? 0 : summed_->group_work(config, merge, members);
}

std::vector<Price> all_prices() {
  std::vector<Price> prices;
  for (const Fitness* summed : all_fitnesses()) prices.emplace_back(*summed);
  for (const MeasuredFitness& measured : measured_fitnesses()) prices.emplace_back(measured);
  return prices;
}

std::vector<std::string_view> price_names() {
  std::vector<std::string_view> names;
  for (const Price& price : all_prices()) names.push_back(price.name());
  return names;
}

}  // namespace regroup::fitness
