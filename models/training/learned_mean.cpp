#include "models/training/learned_mean.hpp"

#include <vector>

#include "models/tensors/random_tensor.hpp"

namespace regroup::models {
namespace {

/// 1/|g| of each head's group, [heads].
at::Tensor even_weights(const search::Partition& partition) {
  std::vector<double> weights(static_cast<std::size_t>(partition.heads()));
  for (const std::vector<int>& group : partition.member_ids()) {
    for (const int head : group) {
      weights[static_cast<std::size_t>(head)] = 1 / static_cast<double>(group.size());
    }
  }
  return at::tensor(weights, at::kDouble);
}

/// Sums of scaled heads [heads, …] by group, in the order of the heads, [groups · …].
at::Tensor sum_groups(const at::Tensor& scaled, const search::Partition& partition) {
  std::vector<at::Tensor> sums;
  for (const std::vector<int>& group : partition.member_ids()) {
    at::Tensor sum = scaled.select(0, group[0]);
    for (std::size_t i = 1; i < group.size(); ++i) sum = sum + scaled.select(0, group[i]);
    sums.push_back(sum);
  }
  return at::cat(sums);
}

}  // namespace

at::Tensor first_mean_weights(LearnedMean form, LearnedStart start,
                              const search::Partition& partition, std::int64_t head_dim,
                              std::int64_t width, search::RandomKey key) {
  std::vector<std::int64_t> shape = {partition.heads()};
  if (form == LearnedMean::kRow) shape.push_back(width);
  if (form == LearnedMean::kColumn) shape.push_back(head_dim);
  if (start == LearnedStart::kRandom) return normal_tensor(key, shape);
  const at::Tensor even = even_weights(partition);
  return form == LearnedMean::kScalar ? even : even.unsqueeze(1).expand(shape).contiguous();
}

at::Tensor learned_mean(const at::Tensor& projection, const at::Tensor& weights, LearnedMean form,
                        const search::Partition& partition) {
  const at::Tensor heads =
      projection.to(at::kDouble).view({partition.heads(), -1, projection.size(1)});
  const at::Tensor own = form == LearnedMean::kScalar ? weights.view({-1, 1, 1})
                         : form == LearnedMean::kRow  ? weights.unsqueeze(1)
                                                      : weights.unsqueeze(2);
  return sum_groups(heads * own, partition);
}

at::Tensor learned_mean_of_bias(const at::Tensor& bias, const at::Tensor& weights, LearnedMean form,
                                const search::Partition& partition) {
  const at::Tensor heads = bias.to(at::kDouble).view({partition.heads(), -1});
  const at::Tensor own = form == LearnedMean::kScalar ? weights.unsqueeze(1)
                         : form == LearnedMean::kColumn
                             ? weights
                             : even_weights(partition).to(bias.device()).unsqueeze(1);
  return sum_groups(heads * own, partition);
}

}  // namespace regroup::models
