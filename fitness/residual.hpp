#pragma once

#include "fitness/fitness.hpp"

namespace regroup::fitness {

/// A price by the residual of every group's own merge, under weights of its errors.
class ResidualPrice : public Fitness {
 public:
  bool is_cheap() const override { return false; }
  bool prices_widths() const override { return true; }
  std::vector<search::LayerCurves> width_curves(const FitnessInput& input, int step) const override;
  std::vector<std::vector<search::LayerCosts>> width_costs(
      const FitnessInput& input, std::span<const search::GroupMultiples> widths) const override;
  std::vector<search::LayerCosts> layer_costs(const FitnessInput& input) const override;

 protected:
  /// "fisher prices"
  virtual std::string_view price_name() const = 0;
  /// What an error of each head weighs.
  virtual models::HeadWeights weights(const models::MergeSource& source,
                                      models::Projection projection) const = 0;
  double group_work(const models::ModelConfig& config, const models::MergeOperator& merge,
                    int members) const override;
};

/// The error that the merge really used leaves, in the metric of attention (METHODS §7): keys by
/// Σ Δscore² over pairs of tokens, values by E‖Δy‖². Compares groupings within a layer; keys and
/// values, and layers, have no common unit. Needs moments.
class Residual : public ResidualPrice {
 public:
  std::string_view name() const override { return "residual"; }
  PriceLabel label() const override { return {"residual", "merge residual"}; }
  models::MergeNeeds needs() const override { return models::MergeNeeds::kMoments; }

 protected:
  std::string_view price_name() const override { return "residuals"; }
  models::HeadWeights weights(const models::MergeSource& source,
                              models::Projection projection) const override {
    return models::head_weights(source, projection);
  }
};

/// The same residuals in nats per token, to second order: weighed by what the loss's gradients say
/// of attention logits and block outputs (METHODS §7, "fisher price"), which makes keys and values,
/// and layers, comparable. It leaves out products between tokens: rank with it, do not quote it.
/// Needs gradients.
class Fisher : public ResidualPrice {
 public:
  std::string_view name() const override { return "fisher"; }
  PriceLabel label() const override { return {"Fisher", "Fisher price, nats per token"}; }
  models::MergeNeeds needs() const override { return models::MergeNeeds::kGradients; }

 protected:
  std::string_view price_name() const override { return "fisher prices"; }
  models::HeadWeights weights(const models::MergeSource& source,
                              models::Projection projection) const override {
    return models::fisher_weights(source, projection);
  }
};

}  // namespace regroup::fitness
