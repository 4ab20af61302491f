#pragma once

#include <memory>
#include <mutex>
#include <optional>

#include "fitness/width_residuals.hpp"
#include "models/recipes/merge_recipe.hpp"
#include "search/costs/subset_cost.hpp"

namespace regroup::fitness {

/// Plain numbers of heads.
std::vector<int> ids_of(std::span<const search::Head> members);

/// Multiplications that merging `members` heads of this layout and pricing the result take,
/// roughly.
double residual_work(const models::HeadLayout& layout, const models::MergeOperator& merge,
                     int members);

/// What merging heads of one projection of one layer leaves unexplained (METHODS §7): the shared
/// head is the one that the recipe's operator really makes, its error is weighed by what reads it.
/// A subset costs what the operator does, for `optimal` O((|g| · d)³).
class ResidualCost : public search::SubsetCost {
 public:
  /// `problem` is what the operator sees. `products` and `weights`, of all heads of the layer,
  /// price its result; without products those of the problem do. `multiples`: where groups are
  /// dear, the widths that tables of these heads have, this one's 1 among them (WidthResiduals).
  ResidualCost(models::MergeProblem problem, std::optional<models::HeadProducts> products,
               models::HeadWeights weights, const models::MergeRecipe& recipe,
               std::vector<int> multiples = {});

  double work(int members) const override {
    return residual_work(problem_.layout, *recipe_.merge, members);
  }
  /// For operators that fold nothing; others throw InputError, as a head outside the group has no
  /// factors.
  double serving_cost(search::Head head, std::span<const search::Head> members) const override;
  /// True where the operator makes the best shared head under the very weights that price it.
  bool grows() const override { return is_best_; }
  /// Of the least error that k shared heads of any kind can leave, from the eigenvalues of the
  /// whole layer (METHODS §8). O((H_kv · d)³).
  std::unique_ptr<const search::Relaxation> relaxation() const override;

  /// The bounds of `relaxation` for 1 … H_kv groups that are as wide as `multiple` heads each. The
  /// eigenvalues are computed once for all widths.
  std::vector<double> spectral_bounds(int multiple = 1) const;

  /// What the optimal merge leaves unexplained when groups are as wide as several heads.
  const WidthResiduals& widths() const { return widths_; }
  /// What the operator sees.
  const models::MergeProblem& problem() const { return problem_; }
  /// What an error of each head weighs.
  const models::HeadWeights& weights() const { return weights_; }

 protected:
  double compute_cost(std::span<const search::Head> members) const override;

 private:
  const models::HeadProducts& products() const {
    return products_ ? *products_ : problem_.products;
  }
  /// The products that price a group, of its members alone.
  models::HeadProducts products_of(std::span<const int> members) const {
    return models::restrict_to(products(), problem_.layout, members);
  }

  /// Eigenvalues of the priced products of all heads, ascending.
  struct Spectra {
    std::vector<Eigen::VectorXd> planes;
    Eigen::VectorXd block;  ///< empty without a block
  };
  const Spectra& spectra() const;

  models::MergeProblem problem_;
  std::optional<models::HeadProducts> products_;
  models::HeadWeights weights_;
  models::MergeRecipe recipe_;
  bool is_best_;
  WidthResiduals widths_;
  mutable std::once_flag has_spectra_;
  mutable Spectra spectra_;
};

}  // namespace regroup::fitness
