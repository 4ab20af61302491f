#include "models/merge/wide_rows.hpp"

#include <algorithm>
#include <limits>

namespace regroup::models {
namespace {

using Eigen::VectorXd;

/// An error Σ |q̄ k|² of a plane is twice one of a score (METHODS §7, "optimal merge").
constexpr double kPlaneShare = 0.5;

/// Adds values in falling order, as far as both go.
void add_falling(VectorXd& sum, const VectorXd& falling) {
  if (sum.size() == 0) {
    sum = falling;
    return;
  }
  const Eigen::Index both = std::min(sum.size(), falling.size());
  sum = VectorXd(sum.head(both) + falling.head(both));
}

/// What one more pair, or row, saves in all groups, by rank.
RowPrices savings_of(const MergeProblem& problem, const std::vector<std::vector<int>>& members) {
  RowPrices savings;
  savings.planes.resize(problem.layout.planes.size());
  for (const std::vector<int>& ids : members) {
    const MergeProblem group = restrict_to(problem, ids);
    const RowPrices prices = row_prices(group, group.weights);
    for (std::size_t p = 0; p < savings.planes.size(); ++p) {
      add_falling(savings.planes[p], prices.planes[p]);
    }
    if (prices.block.size() > 0) add_falling(savings.block, prices.block);
  }
  return savings;
}

/// The next value by rank; −∞ behind the last one.
double next_of(const VectorXd& falling, int taken) {
  return taken < falling.size() ? falling[taken] : -std::numeric_limits<double>::infinity();
}

/// The plane whose next pair saves most, the first of equals.
std::size_t best_plane(const RowPrices& savings, const SharedRows& rows) {
  std::size_t best = 0;
  for (std::size_t p = 1; p < savings.planes.size(); ++p) {
    const bool saves_more = next_of(savings.planes[p], rows.planes[p]) >
                            next_of(savings.planes[best], rows.planes[best]);
    if (saves_more) best = p;
  }
  return best;
}

/// As many pairs of each frequency.
SharedRows shared_frequencies(const HeadLayout& head, int width) {
  if (head.planes.empty()) return {{}, width};
  return SharedRows::of_heads(head, width / head.head_dim);
}

SharedRows widest(const std::vector<SharedRows>& groups) {
  return *std::ranges::max_element(groups, {}, &SharedRows::width);
}

}  // namespace

SharedRows freest_rows(const RowPrices& savings, int width) {
  SharedRows rows{std::vector<int>(savings.planes.size(), 0), 0};
  while (rows.width() < width) {
    const std::size_t plane = best_plane(savings, rows);
    const double pair = savings.planes.empty()
                            ? -std::numeric_limits<double>::infinity()
                            : kPlaneShare * next_of(savings.planes[plane], rows.planes[plane]) / 2;
    const bool fits_pair = rows.width() + 2 <= width;
    const double row = next_of(savings.block, rows.block);
    if (row >= pair || (!fits_pair && rows.block < savings.block.size())) {
      ++rows.block;
    } else {
      if (!fits_pair) --rows.block;  // one row is left, and the block has all of its own
      ++rows.planes[plane];
    }
  }
  return rows;
}

StoredRows stored_rows(const MergeProblem& problem, const search::LayerGrouping& layer,
                       Projection projection) {
  const bool of_keys = projection == Projection::kKeys;
  const search::Partition& partition = of_keys ? layer.keys : layer.values;
  StoredRows rows;
  if (!layer.widths) {
    rows.layer = SharedRows::of_heads(problem.layout);
    rows.groups.assign(static_cast<std::size_t>(partition.groups()), rows.layer);
    return rows;
  }
  const std::vector<int>& widths = of_keys ? layer.widths->keys : layer.widths->values;
  if (layer.widths->has_free_frequencies() && !problem.layout.planes.empty()) {
    rows.layer = freest_rows(savings_of(problem, partition.member_ids()), widths.front());
    rows.groups.assign(widths.size(), rows.layer);
    return rows;
  }
  for (const int width : widths) rows.groups.push_back(shared_frequencies(problem.layout, width));
  rows.layer = widest(rows.groups);
  return rows;
}

}  // namespace regroup::models
