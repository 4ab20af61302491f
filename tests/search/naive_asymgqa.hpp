#pragma once

#include <Eigen/Core>
#include <vector>

#include "search/asymgqa/unit_search.hpp"
#include "search/base/random.hpp"
#include "search/costs/cost_table.hpp"
#include "search/groupings/partition.hpp"

namespace regroup::tests {

// METHODS §3 once more, over plain vectors of labels.

using Labels = std::vector<int>;

Labels labels_of(const search::Partition& partition);
search::Partition partition_of(const Labels& labels);

/// The up to three heads nearest to `a` outside its group, low heads first on ties.
std::vector<int> naive_partners(const Labels& labels, const Eigen::MatrixXd& distances, int a);

/// What the search of a unit finds, with the draws that unit_search.hpp documents.
search::Partition naive_unit_search(const search::CostTable& table,
                                    const Eigen::MatrixXd& distances, int groups,
                                    search::AsymGqaMoves moves,
                                    const search::AsymGqaOptions& options, search::RandomKey key);

}  // namespace regroup::tests
