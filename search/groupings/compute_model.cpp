#include "search/groupings/compute_model.hpp"

namespace regroup::search {
namespace {

std::int64_t sum(std::span<const AttentionShape> layers) {
  std::int64_t total = 0;
  for (const AttentionShape& layer : layers) total += multiplications(layer);
  return total;
}

}  // namespace

std::int64_t multiplications(const AttentionShape& layer) {
  const std::int64_t query_width = layer.query_heads * layer.key_width;
  const std::int64_t stored_width =
      layer.key_groups * layer.key_width + layer.value_groups * layer.value_width;
  const std::int64_t mixed_width = layer.query_heads * layer.value_width;
  return layer.context * (query_width + mixed_width) +
         layer.model_width * (query_width + stored_width + mixed_width);
}

ComputeModel::ComputeModel(std::span<const AttentionShape> source) : source_(sum(source)) {}

double ComputeModel::relative(std::span<const AttentionShape> layers) const {
  return static_cast<double>(sum(layers)) / static_cast<double>(source_);
}

}  // namespace regroup::search
