#pragma once

#include <string_view>
#include <vector>

#include "fitness/fitness.hpp"
#include "fitness/measured_fitness.hpp"

namespace regroup::fitness {

/// What a search minimises: the sums of a fitness, or what is measured of whole models. A value;
/// refers to an entry of one of the two tables.
class Price {
 public:
  explicit Price(const Fitness& summed) : summed_(&summed) {}
  explicit Price(const MeasuredFitness& measured) : measured_(&measured) {}

  /// As on the command line: "accuracy".
  std::string_view name() const;
  /// Of a point of front.json: "selection_error".
  std::string_view field() const;
  PriceLabel label() const;
  /// The fitness that adds up over layers; null where it is measured.
  const Fitness* summed() const { return summed_; }
  /// The measured one; null where prices add up.
  const MeasuredFitness* measured() const { return measured_; }
  bool is_measured() const { return measured_ != nullptr; }
  /// What it reads of a calibration; a measured one reads none.
  models::MergeNeeds needs() const;
  /// As Fitness::group_work, 0 of a measured one.
  double group_work(const models::ModelConfig& config, const models::MergeOperator& merge,
                    int members) const;

  bool operator==(const Price&) const = default;

 private:
  const Fitness* summed_ = nullptr;
  const MeasuredFitness* measured_ = nullptr;
};

/// Every price, those that add up first, each kind in its table's order.
std::vector<Price> all_prices();
/// Their names, in the same order.
std::vector<std::string_view> price_names();

}  // namespace regroup::fitness
