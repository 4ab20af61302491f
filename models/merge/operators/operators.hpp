#pragma once

#include "models/merge/merge_operator.hpp"

namespace regroup::models {

// The operators of the table; the source file of each says what it does.
const MergeOperator& mean_merge();
const MergeOperator& first_merge();
const MergeOperator& medoid_merge();
const MergeOperator& weighted_merge();
const MergeOperator& fisher_weighted_merge();
const MergeOperator& aligned_merge();
const MergeOperator& optimal_merge();

}  // namespace regroup::models
