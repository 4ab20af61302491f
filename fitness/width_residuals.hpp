#pragma once

#include <map>
#include <mutex>
#include <span>
#include <vector>

#include "models/merge/merge_problem.hpp"

namespace regroup::fitness {

/// What the optimal merge of groups of one projection leaves unexplained when they store the width
/// of one head or of several: the eigenvectors of a group say it for every width, so that searches
/// of several widths need them once. A group that was asked for is remembered. Thread-safe; two
/// threads that ask for the same new group both compute it.
class WidthResiduals {
 public:
  /// Under weights `prices` of all heads, which may be others than those that `problem` merges by.
  /// `multiples`: the widths in heads that may be asked for.
  WidthResiduals(models::MergeProblem problem, models::HeadWeights prices,
                 std::vector<int> multiples);

  /// Of distinct heads, ascending. O((|g| · d)³) for a group that is new.
  double residual(std::span<const int> members, int multiple) const;

 private:
  std::vector<double> compute(std::span<const int> members) const;

  models::MergeProblem problem_;
  models::HeadWeights prices_;
  std::vector<int> multiples_;
  mutable std::mutex mutex_;
  mutable std::map<std::vector<int>, std::vector<double>> known_;  // in the order of multiples_
};

}  // namespace regroup::fitness
