#include "search/costs/sum_cost.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "search/base/error.hpp"
#include "search/costs/pair_sketch.hpp"
#include "search/costs/sum_relaxation.hpp"

namespace regroup::search {

SumCost::SumCost(std::vector<WeightedTable> parts) : parts_(std::move(parts)) {
  if (parts_.empty()) throw InputError({.what = "sum of no cost tables"});
  for (const auto& [table, weight] : parts_) {
    if (table->heads() != heads()) {
      throw InputError({.what = "cost tables of a sum differ in their heads",
                        .expected = std::to_string(heads()),
                        .found = std::to_string(table->heads())});
    }
    if (!std::isfinite(weight) || weight < 0) {
      throw InputError({.what = "weight of a cost table is out of range",
                        .expected = "finite and not negative",
                        .found = fmt::format("{}", weight)});
    }
  }
}

double SumCost::group_cost(std::span<const Head> members) const {
  double cost = 0;
  for (const auto& [table, weight] : parts_) cost += weight * table->group_cost(members);
  return cost;
}

double SumCost::serving_cost(Head head, std::span<const Head> members) const {
  double cost = 0;
  for (const auto& [table, weight] : parts_) cost += weight * table->serving_cost(head, members);
  return cost;
}

double SumCost::work(int members) const {
  double work = 0;
  for (const auto& [table, weight] : parts_) work += table->work(members);
  return work;
}

std::shared_ptr<const CostTable> SumCost::sketch() const {
  const bool is_cheap = std::ranges::none_of(
      parts_, [](const WeightedTable& part) { return part.table->sketch() != nullptr; });
  return is_cheap ? nullptr : std::make_shared<GramCost>(pair_sketch(*this));
}

bool SumCost::grows() const {
  return std::ranges::all_of(parts_, [](const WeightedTable& part) { return part.table->grows(); });
}

std::unique_ptr<const Relaxation> SumCost::relaxation() const {
  std::vector<SumRelaxation::Part> parts;
  for (const auto& [table, weight] : parts_) parts.push_back({table->relaxation(), weight});
  return std::make_unique<SumRelaxation>(*this, std::move(parts));
}

}  // namespace regroup::search
