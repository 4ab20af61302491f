#include "models/recipes/merge_matrices.hpp"

#include <algorithm>
#include <cmath>

#include "models/layers/layer_head_maps.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;

/// The rows of a shared head, [d, columns], from those of its members.
RowMatrix combine(const SharedHead& shared, const HeadLayout& layout, const RowMatrix& projection,
                  std::span<const int> members) {
  const int d = layout.head_dim;
  const auto rows_of = [&](std::size_t h, int row) { return projection.row(members[h] * d + row); };
  RowMatrix head = RowMatrix::Zero(d, projection.cols());
  for (std::size_t p = 0; p < layout.planes.size(); ++p) {
    const auto [real, imaginary] = layout.planes[p];
    for (std::size_t h = 0; h < members.size(); ++h) {
      const std::complex<double> c = shared.plane_combination[p][static_cast<Index>(h)];
      head.row(real) += c.real() * rows_of(h, real) - c.imag() * rows_of(h, imaginary);
      head.row(imaginary) += c.real() * rows_of(h, imaginary) + c.imag() * rows_of(h, real);
    }
  }
  const int rows = layout.block_rows();
  for (std::size_t h = 0; h < members.size() && rows > 0; ++h) {
    head.bottomRows(rows).noalias() +=
        shared.block_combination.middleCols(static_cast<Index>(h) * rows, rows) *
        projection.middleRows(members[h] * d + layout.block_begin, rows);
  }
  return head;
}

/// Folds the conjugate of member h's factors into a query head that reads it.
void fold_into_query(const SharedHead& shared, const HeadLayout& layout, Index h, Index query,
                     RowMatrix& queries) {
  auto head = queries.middleRows(query * layout.head_dim, layout.head_dim);
  for (std::size_t p = 0; p < layout.planes.size(); ++p) {
    const auto [real, imaginary] = layout.planes[p];
    const std::complex<double> factor = shared.plane_factors[p][h];
    const Eigen::RowVectorXd cosine_row = head.row(real);
    const Eigen::RowVectorXd sine_row = head.row(imaginary);
    head.row(real) = factor.real() * cosine_row + factor.imag() * sine_row;
    head.row(imaginary) = factor.real() * sine_row - factor.imag() * cosine_row;
  }
  const int rows = layout.block_rows();
  if (rows == 0) return;
  const MatrixXd block = head.bottomRows(rows);
  head.bottomRows(rows) = shared.block_factors.middleRows(h * rows, rows).transpose() * block;
}

/// Merges one projection of one layer.
class ProjectionMerger {
 public:
  ProjectionMerger(const MergeSource& source, Projection projection, const MergeRecipe& recipe)
      : source_(source),
        projection_(projection),
        recipe_(recipe),
        problem_(merge_problem_for(source, projection, recipe)),
        rows_(projection == Projection::kKeys ? source.weights.key : source.weights.value) {}

  /// The stored heads' rows; what is folded goes into `merged`, which begins as the source.
  RowMatrix merge(const search::Partition& partition, std::span<const search::Group> stored,
                  AttentionMatrices& merged) const {
    const int d = problem_.layout.head_dim;
    const std::vector<std::vector<int>> groups = partition.member_ids();
    RowMatrix result(std::ssize(stored) * d, rows_.cols());
    if (has_own_norms()) merged.key_norm.resize(result.rows());
    for (std::size_t i = 0; i < stored.size(); ++i) {
      const std::vector<int>& members = groups[stored[i].at()];
      auto head = result.middleRows(static_cast<Index>(i) * d, d);
      if (members.size() == 1) {
        head = rows_.middleRows(members[0] * d, d);
        if (has_own_norms())
          own_norms(merged, i) = source_.weights.key_norm.segment(members[0] * d, d);
        continue;
      }
      const SharedHead shared = shared_head(restrict_to(problem_, members), recipe_);
      head = combine(shared, problem_.layout, rows_, members);
      if (has_own_norms()) own_norms(merged, i) = combined_norms(shared, members);
      if (recipe_.merge->folds()) fold(shared, members, head, merged);
    }
    return result;
  }

 private:
  /// Whether one norm follows all heads, whose weights each head has its own part of.
  bool has_own_norms() const {
    return projection_ == Projection::kKeys &&
           source_.config.query_key_norm == QueryKeyNorm::kWhole;
  }
  Eigen::VectorBlock<Eigen::VectorXd> own_norms(AttentionMatrices& merged, std::size_t head) const {
    const int d = problem_.layout.head_dim;
    return merged.key_norm.segment(static_cast<Index>(head) * d, d);
  }
  /// The weights of a shared head's part, combined as its rows are.
  Eigen::VectorXd combined_norms(const SharedHead& shared, std::span<const int> members) const {
    const int d = problem_.layout.head_dim;
    Eigen::VectorXd result = Eigen::VectorXd::Zero(d);
    for (std::size_t h = 0; h < members.size(); ++h) {
      const double part =
          shared.plane_combination.empty()
              ? shared.block_combination(0, static_cast<Index>(h) * problem_.layout.block_rows())
              : shared.plane_combination[0][static_cast<Index>(h)].real();
      result += part * source_.weights.key_norm.segment(members[h] * d, d);
    }
    return result;
  }

  /// Only as much of the problem as the recipe asks for.
  static MergeProblem merge_problem_for(const MergeSource& source, Projection projection,
                                        const MergeRecipe& recipe) {
    const bool needs_moments = recipe.merge->needs() >= MergeNeeds::kMoments || recipe.renorm;
    if (needs_moments && source.moments == nullptr) {
      throw WorkError({.what = "merging needs calibration", .found = recipe.name()});
    }
    return merge_problem({source.weights, source.config, needs_moments ? source.moments : nullptr},
                         projection, recipe.merge->metric());
  }

  void fold(const SharedHead& shared, std::span<const int> members, const RowMatrix& head,
            AttentionMatrices& merged) const {
    const int queries = source_.config.queries_per_kv_head();
    const int d = problem_.layout.head_dim;
    for (std::size_t h = 0; h < members.size(); ++h) {
      for (int query = members[h] * queries; query < (members[h] + 1) * queries; ++query) {
        const auto member = static_cast<Index>(h);
        if (projection_ == Projection::kKeys) {
          fold_into_query(shared, problem_.layout, member, query, merged.query);
        } else {
          const MatrixXd output = source_.weights.output.middleCols(query * d, d) *
                                  shared.block_factors.middleRows(member * d, d);
          merged.output.middleCols(query * d, d) = output;
          if (merged.output_bias.size() > 0) {
            merged.output_bias += mean_error(members[h], query, head, output);
          }
        }
      }
    }
  }

  /// (W_O^j W_V^h − W_O'^j W̄_V) E z_j: what the query head's output loses in the mean.
  Eigen::VectorXd mean_error(int member, int query, const RowMatrix& head,
                             const MatrixXd& output) const {
    const int d = problem_.layout.head_dim;
    Eigen::VectorXd mean = Eigen::VectorXd::Ones(rows_.cols());
    mean.head(source_.moments->averaged_mean.cols()) =
        source_.moments->averaged_mean.row(query).transpose();
    return source_.weights.output.middleCols(query * d, d) *
               (rows_.middleRows(member * d, d) * mean) -
           output * (head * mean);
  }

  const MergeSource& source_;
  Projection projection_;
  const MergeRecipe& recipe_;
  MergeProblem problem_;
  const RowMatrix& rows_;
};

}  // namespace

MergedMatrices merge_matrices(const MergeSource& source, const search::LayerGrouping& grouping,
                              const MergeRecipe& recipe) {
  const std::vector<search::Group> keys = grouping.stored_keys();
  const std::vector<search::Group> values = grouping.stored_values();
  const LayerHeadMaps maps = head_maps(grouping, source.config.queries_per_kv_head());
  MergedMatrices merged{source.weights, maps.keys, maps.values};
  const ProjectionMerger key_merger(source, Projection::kKeys, recipe);
  merged.weights.key = key_merger.merge(grouping.keys, keys, merged.weights);
  const ProjectionMerger value_merger(source, Projection::kValues, recipe);
  merged.weights.value = value_merger.merge(grouping.values, values, merged.weights);
  return merged;
}

}  // namespace regroup::models
