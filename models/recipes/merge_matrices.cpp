#include "models/recipes/merge_matrices.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "models/layers/layer_head_maps.hpp"
#include "models/merge/wide_rows.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;

/// Where the rows of stored heads stand that have room for `rows`: of each source plane its pairs
/// one after another.
class HeadRoom {
 public:
  HeadRoom(const SharedRows& rows, RotaryLayout pairs) : layout_(rows.layout(pairs)) {
    int first = 0;
    for (const int count : rows.planes) {
      first_pair_.push_back(first);
      first += count;
    }
  }

  int width() const { return layout_.head_dim; }
  int block_begin() const { return layout_.block_begin; }
  /// The two rows of a plane's pair of that number.
  std::pair<int, int> pair(int plane, int number) const {
    return layout_
        .planes[static_cast<std::size_t>(first_pair_[static_cast<std::size_t>(plane)] + number)];
  }
  /// The same of each pair of a shared head, in its order.
  std::vector<std::pair<int, int>> pairs(const SharedHead& shared) const {
    std::vector<std::pair<int, int>> result;
    int number = 0;
    for (std::size_t p = 0; p < shared.plane_combination.size(); ++p) {
      const bool goes_on = p > 0 && shared.plane_of(p) == shared.plane_of(p - 1);
      number = goes_on ? number + 1 : 0;
      result.push_back(pair(shared.plane_of(p), number));
    }
    return result;
  }

 private:
  HeadLayout layout_;
  std::vector<int> first_pair_;  // by plane
};

/// A head of the source in a room of that width or more, the rest zeros.
RowMatrix placed(const HeadLayout& head, const HeadRoom& room,
                 const Eigen::Ref<const RowMatrix>& rows) {
  RowMatrix result = RowMatrix::Zero(room.width(), rows.cols());
  for (std::size_t p = 0; p < head.planes.size(); ++p) {
    const auto [real, imaginary] = room.pair(static_cast<int>(p), 0);
    result.row(real) = rows.row(head.planes[p].first);
    result.row(imaginary) = rows.row(head.planes[p].second);
  }
  result.middleRows(room.block_begin(), head.block_rows()) = rows.bottomRows(head.block_rows());
  return result;
}

/// The rows of a shared head, [width of the room, columns], from those of its members.
RowMatrix combine(const SharedHead& shared, const HeadLayout& layout, const HeadRoom& room,
                  const RowMatrix& projection, std::span<const int> members) {
  const int d = layout.head_dim;
  const auto rows_of = [&](std::size_t h, int row) { return projection.row(members[h] * d + row); };
  RowMatrix head = RowMatrix::Zero(room.width(), projection.cols());
  const std::vector<std::pair<int, int>> pairs = room.pairs(shared);
  for (std::size_t p = 0; p < pairs.size(); ++p) {
    const auto [real, imaginary] = layout.planes[static_cast<std::size_t>(shared.plane_of(p))];
    for (std::size_t h = 0; h < members.size(); ++h) {
      const std::complex<double> c = shared.plane_combination[p][static_cast<Index>(h)];
      head.row(pairs[p].first) += c.real() * rows_of(h, real) - c.imag() * rows_of(h, imaginary);
      head.row(pairs[p].second) += c.real() * rows_of(h, imaginary) + c.imag() * rows_of(h, real);
    }
  }
  const int rows = layout.block_rows();
  for (std::size_t h = 0; h < members.size() && rows > 0; ++h) {
    head.middleRows(room.block_begin(), shared.block_combination.rows()).noalias() +=
        shared.block_combination.middleCols(static_cast<Index>(h) * rows, rows) *
        projection.middleRows(members[h] * d + layout.block_begin, rows);
  }
  return head;
}

/// A query head that reads member h of a shared head: its rows with the conjugate of the member's
/// factors.
RowMatrix folded_query(const SharedHead& shared, const HeadLayout& layout, const HeadRoom& room,
                       Index h, const Eigen::Ref<const RowMatrix>& query) {
  RowMatrix head = RowMatrix::Zero(room.width(), query.cols());
  const std::vector<std::pair<int, int>> pairs = room.pairs(shared);
  for (std::size_t p = 0; p < pairs.size(); ++p) {
    const auto [real, imaginary] = layout.planes[static_cast<std::size_t>(shared.plane_of(p))];
    const std::complex<double> factor = shared.plane_factors[p][h];
    head.row(pairs[p].first) =
        factor.real() * query.row(real) + factor.imag() * query.row(imaginary);
    head.row(pairs[p].second) =
        factor.real() * query.row(imaginary) - factor.imag() * query.row(real);
  }
  const int rows = layout.block_rows();
  if (rows == 0) return head;
  const MatrixXd block = query.bottomRows(rows);
  head.middleRows(room.block_begin(), shared.block_factors.cols()) =
      shared.block_factors.middleRows(h * rows, rows).transpose() * block;
  return head;
}

/// Merges one projection of one layer.
class ProjectionMerger {
 public:
  ProjectionMerger(const MergeSource& source, Projection projection,
                   const search::LayerGrouping& grouping, const MergeRecipe& recipe)
      : source_(source),
        projection_(projection),
        recipe_(recipe),
        partition_(projection == Projection::kKeys ? grouping.keys : grouping.values),
        problem_(merge_problem_for(source, projection, recipe)),
        stored_(stored_rows(problem_, grouping, projection)),
        room_(stored_.layer, source.config.rotary.layout),
        rows_(projection == Projection::kKeys ? source.weights.key : source.weights.value) {}

  const SharedRows& rows() const { return stored_.layer; }

  /// The stored heads' rows; what is folded goes into `merged`, which begins as the source.
  RowMatrix merge(std::span<const search::Group> stored, AttentionMatrices& merged) const {
    if (is_widened()) make_room(merged);
    const int d = problem_.layout.head_dim;
    const std::vector<std::vector<int>> groups = partition_.member_ids();
    RowMatrix result(std::ssize(stored) * room_.width(), rows_.cols());
    if (has_own_norms()) merged.key_norm.resize(result.rows());
    for (std::size_t i = 0; i < stored.size(); ++i) {
      const std::vector<int>& members = groups[stored[i].at()];
      auto head = result.middleRows(static_cast<Index>(i) * room_.width(), room_.width());
      const SharedRows& rows = stored_.groups[stored[i].at()];
      if (members.size() == 1 && rows == SharedRows::of_heads(problem_.layout)) {
        head = placed(problem_.layout, room_, rows_.middleRows(members[0] * d, d));
        if (is_widened()) keep(members[0], merged);
        if (has_own_norms())
          own_norms(merged, i) = source_.weights.key_norm.segment(members[0] * d, d);
        continue;
      }
      const SharedHead shared = shared_head(restrict_to(problem_, members), rows, recipe_);
      head = combine(shared, problem_.layout, room_, rows_, members);
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

  bool is_widened() const { return stored_.layer != SharedRows::of_heads(problem_.layout); }

  /// Room, still empty, for what reads heads of the layer's width: queries, or the output's
  /// columns.
  void make_room(AttentionMatrices& merged) const {
    const Index rows = Index{source_.config.query_heads} * room_.width();
    if (projection_ == Projection::kKeys) {
      merged.query.setZero(rows, source_.weights.query.cols());
    } else {
      merged.output.setZero(source_.weights.output.rows(), rows);
    }
  }

  /// Puts what reads a head that stays as it is into that room.
  void keep(int member, AttentionMatrices& merged) const {
    const int d = problem_.layout.head_dim;
    const int queries = source_.config.queries_per_kv_head();
    for (int query = member * queries; query < (member + 1) * queries; ++query) {
      if (projection_ == Projection::kKeys) {
        merged.query.middleRows(query * room_.width(), room_.width()) =
            placed(problem_.layout, room_, source_.weights.query.middleRows(query * d, d));
      } else {
        merged.output.middleCols(query * room_.width(), d) =
            source_.weights.output.middleCols(query * d, d);
      }
    }
  }

  void fold(const SharedHead& shared, std::span<const int> members, const RowMatrix& head,
            AttentionMatrices& merged) const {
    const int queries = source_.config.queries_per_kv_head();
    const int d = problem_.layout.head_dim;
    for (std::size_t h = 0; h < members.size(); ++h) {
      for (int query = members[h] * queries; query < (members[h] + 1) * queries; ++query) {
        const auto member = static_cast<Index>(h);
        if (projection_ == Projection::kKeys) {
          merged.query.middleRows(query * room_.width(), room_.width()) =
              folded_query(shared, problem_.layout, room_, member,
                           source_.weights.query.middleRows(query * d, d));
        } else {
          MatrixXd output = MatrixXd::Zero(merged.output.rows(), room_.width());
          output.leftCols(shared.block_factors.cols()) =
              source_.weights.output.middleCols(query * d, d) *
              shared.block_factors.middleRows(member * d, d);
          merged.output.middleCols(query * room_.width(), room_.width()) = output;
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
  const search::Partition& partition_;
  MergeProblem problem_;
  StoredRows stored_;
  HeadRoom room_;
  const RowMatrix& rows_;
};

}  // namespace

MergedMatrices merge_matrices(const MergeSource& source, const search::LayerGrouping& grouping,
                              const MergeRecipe& recipe) {
  const std::vector<search::Group> keys = grouping.stored_keys();
  const std::vector<search::Group> values = grouping.stored_values();
  const LayerHeadMaps maps = head_maps(grouping, source.config.queries_per_kv_head());
  MergedMatrices merged{source.weights, maps.keys, maps.values, maps.widths};
  const ProjectionMerger key_merger(source, Projection::kKeys, grouping, recipe);
  merged.weights.key = key_merger.merge(keys, merged.weights);
  if (grouping.widths) merged.key_frequencies = key_merger.rows().frequencies();
  const ProjectionMerger value_merger(source, Projection::kValues, grouping, recipe);
  merged.weights.value = value_merger.merge(values, merged.weights);
  return merged;
}

}  // namespace regroup::models
