#pragma once

#include <string_view>
#include <vector>

#include "models/layers/shared_rows.hpp"
#include "models/merge/shared_head.hpp"

namespace regroup::models {

/// What an operator must know of a layer beside the number of heads.
enum class MergeNeeds {
  kNothing,
  kWeights,    ///< inner products of the weights
  kMoments,    ///< moments of the activations, from calibration
  kGradients,  ///< gradients as well
};

/// How the heads of a group become one shared key or value head, and what is folded into the query
/// and output weights of its members. Stateless and thread-safe.
class MergeOperator {
 public:
  virtual ~MergeOperator() = default;
  virtual std::string_view name() const = 0;
  virtual MergeNeeds needs() const = 0;
  /// The moments in which it compares heads, where it needs any.
  virtual MergeMetric metric() const { return MergeMetric::kInput; }
  /// Whether factors are folded into the weights of queries and outputs. If so, a query head can
  /// only read the group of its own KV head.
  virtual bool folds() const { return false; }
  /// Whether the norm of its shared head may be restored.
  virtual bool allows_renorm() const { return false; }
  /// The shared head of a group: `group` is the problem restricted to its members, two or more.
  virtual SharedHead share(const MergeProblem& group) const = 0;
  /// Whether its shared heads may have other widths than a head.
  virtual bool is_wide() const { return false; }
  /// The same with as many rows as `rows` says, at most those of all members together. Throws
  /// WorkError unless `is_wide`, and where a norm follows.
  virtual SharedHead share_wide(const MergeProblem& group, const SharedRows& rows) const;
};

}  // namespace regroup::models
