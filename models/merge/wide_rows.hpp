#pragma once

#include <vector>

#include "models/layers/shared_rows.hpp"
#include "models/merge/merge_problem.hpp"
#include "models/merge/row_prices.hpp"
#include "models/merge/shared_head.hpp"
#include "search/groupings/grouping.hpp"

namespace regroup::models {

/// The rows of a layer's stored heads of one projection.
struct StoredRows {
  std::vector<SharedRows> groups;  ///< of each group of the partition
  SharedRows layer;                ///< what holds any of them
};

/// As the layer's widths say. Shared frequencies: a head of w · d numbers has w pairs of each.
/// Free ones: as many of each as leave the least error over all groups, for which `problem` must
/// have products and weights. Widths must be valid (recipes/valid_widths.hpp).
StoredRows stored_rows(const MergeProblem& problem, const search::LayerGrouping& layer,
                       Projection projection);

/// Rows of `width` numbers in all, dealt where they save most: the dearest pairs and rows are kept
/// (METHODS §7, "wide groups"). `savings` must hold as many. O(width · d).
SharedRows freest_rows(const RowPrices& savings, int width);

}  // namespace regroup::models
