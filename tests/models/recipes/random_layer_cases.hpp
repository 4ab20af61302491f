#pragma once

#include <vector>

#include "models/merge/shared_head.hpp"
#include "models/recipes/merge_matrices.hpp"
#include "tests/fixtures/random_layer.hpp"

namespace regroup::tests {

/// Every kind of layer that merges tell apart: rotary embedding half-split, interleaved, partial
/// and absent; one query head to a KV head and two; with and without biases.
inline std::vector<RandomLayerShape> layer_shapes() {
  using models::RotaryLayout;
  const models::RotaryConfig half = {4, RotaryLayout::kHalfSplit, 100, {}};
  const models::RotaryConfig interleaved = {4, RotaryLayout::kInterleaved, 100, {}};
  const models::RotaryConfig partial = {2, RotaryLayout::kHalfSplit, 100, {}};
  const models::RotaryConfig none = {0, RotaryLayout::kHalfSplit, 100, {}};
  return {{.rotary = half},
          {.rotary = half, .queries_per_kv_head = 2, .input_bias = true, .output_bias = true},
          {.rotary = interleaved, .queries_per_kv_head = 2, .seed = 2},
          {.rotary = interleaved, .head_dim = 6, .input_bias = true, .seed = 3},
          {.rotary = partial, .input_bias = true, .output_bias = true, .seed = 4},
          {.rotary = partial, .queries_per_kv_head = 3, .head_dim = 5, .seed = 5},
          {.rotary = none, .seed = 6},
          {.rotary = none, .queries_per_kv_head = 2, .output_bias = true, .seed = 7},
          {.rotary = none, .input_bias = true, .seed = 8},
          {.rotary = none,
           .queries_per_kv_head = 2,
           .input_bias = true,
           .output_bias = true,
           .seed = 9}};
}

/// Four heads in two groups, one of them of these members.
inline const std::vector<int> kMembers = {0, 2, 3};

inline search::LayerGrouping three_and_one() {
  const auto partition = search::Partition::parse("0 2 3 | 1");
  return {partition, partition};
}

/// What a merged layer computes, by plain loops.
inline NaiveAttention naive(const models::MergedMatrices& merged,
                            const models::ModelConfig& config) {
  return {merged.weights, config, merged.key_map.stored_of_query(),
          merged.value_map.stored_of_query(),
          merged.widths ? std::optional(merged.key_frequencies) : std::nullopt};
}

/// The energy of all that the members say: the error of a head that is nothing.
inline double energy(const models::MergeProblem& problem) {
  const auto nothing =
      models::SharedHead::weighted(problem.layout, Eigen::VectorXd::Zero(problem.heads));
  return models::residual(nothing, problem.products, problem.weights);
}

}  // namespace regroup::tests
