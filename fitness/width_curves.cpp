#include "fitness/width_curves.hpp"

#include <algorithm>

#include "models/merge/row_prices.hpp"
#include "models/merge/wide_rows.hpp"

namespace regroup::fitness {

std::vector<search::WidthPrice> width_curve(const models::MergeProblem& problem,
                                            const models::HeadWeights& prices, int step) {
  const models::RowPrices lost = models::row_prices(problem, prices);
  // Without rotation rows are kept in their order, whatever they save.
  const bool is_dealt = !problem.layout.planes.empty();
  const models::RowPrices saved =
      is_dealt ? models::row_prices(problem, problem.weights) : models::RowPrices();
  const int all = problem.heads * problem.layout.head_dim;
  std::vector<search::WidthPrice> curve;
  for (int width = problem.layout.head_dim; width < all; width += step) {
    const models::SharedRows rows =
        is_dealt ? models::freest_rows(saved, width) : models::SharedRows{{}, width};
    curve.push_back({width, lost.residual(rows)});
  }
  curve.push_back({all, 0});
  return curve;
}

}  // namespace regroup::fitness
