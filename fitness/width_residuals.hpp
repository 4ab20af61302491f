#pragma once

#include <map>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "models/merge/merge_problem.hpp"
#include "models/merge/row_prices.hpp"

namespace regroup::fitness {

/// What the optimal merge of groups of one projection leaves unexplained when they store the width
/// of one head or of several: the eigenvectors of a group say it for every width, so that searches
/// of several widths need them once. Thread-safe; two threads that ask for the same new group both
/// compute it.
class WidthResiduals {
 public:
  /// Under weights `prices` of all heads, which may be others than those that `problem` merges by;
  /// both must outlive it. `multiples`: widths in heads, ascending, at which a group is remembered
  /// once it was asked for; none: nothing is.
  WidthResiduals(const models::MergeProblem& problem, const models::HeadWeights& prices,
                 std::vector<int> multiples)
      : problem_(problem), prices_(prices), multiples_(std::move(multiples)) {}

  /// Whether anything is remembered.
  bool remembers() const { return !multiples_.empty(); }

  /// Of distinct heads, ascending, at one of the widths, or any where nothing is remembered.
  /// O((|g| · d)³) for a group that is new.
  double residual(std::span<const int> members, int multiple) const;

 private:
  models::RowPrices row_prices(std::span<const int> members) const;
  double residual_of(const models::RowPrices& prices, int multiple) const;

  const models::MergeProblem& problem_;
  const models::HeadWeights& prices_;
  std::vector<int> multiples_;
  mutable std::mutex mutex_;
  mutable std::map<std::vector<int>, std::vector<double>> known_;  // in the order of multiples_
};

}  // namespace regroup::fitness
