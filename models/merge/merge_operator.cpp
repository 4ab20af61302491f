#include "models/merge/merge_operator.hpp"

#include <string>

#include "search/base/error.hpp"

namespace regroup::models {

SharedHead MergeOperator::share_wide(const MergeProblem& /*group*/,
                                     const SharedRows& /*rows*/) const {
  throw WorkError({.what = "this merge makes heads of one width", .found = std::string(name())});
}

}  // namespace regroup::models
