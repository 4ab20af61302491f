#include "search/costs/pair_sketch.hpp"

#include <array>

namespace regroup::search {

GramCost pair_sketch(const CostTable& table) {
  const int n = table.heads();
  // A Gram matrix of diagonal 0 with squared distances of twice the pair's cost.
  Eigen::MatrixXd gram = Eigen::MatrixXd::Zero(n, n);
  for (int i = 0; i < n; ++i) {
    for (int j = 0; j < i; ++j) {
      gram(i, j) = gram(j, i) = -table.group_cost(std::array{Head(i), Head(j)});
    }
  }
  return GramCost(gram);
}

}  // namespace regroup::search
