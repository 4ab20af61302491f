#include "models/attention/perturbed_attention.hpp"

#include <vector>

#include "models/attention/heads.hpp"
#include "models/tensors/random_tensor.hpp"

namespace regroup::models {
namespace {

/// Zeros where row and column have the same number.
at::Tensor without_diagonal(const at::Tensor& matrix) {
  at::Tensor result = matrix.clone();
  result.fill_diagonal_(0);
  return result;
}

/// Query heads that read each stored one.
std::vector<std::vector<std::int64_t>> readers_of(const HeadMap& map) {
  std::vector<std::vector<std::int64_t>> readers(static_cast<std::size_t>(map.stored()));
  for (int query = 0; query < map.queries(); ++query) {
    readers[static_cast<std::size_t>(map[query])].push_back(query);
  }
  return readers;
}

}  // namespace

at::Tensor less_output_noise(const at::Tensor& attended, const at::Tensor& uniform) {
  const at::Tensor flat = attended.flatten(2);
  const at::Tensor mean = uniform.mean(-1, /*keepdim=*/true);
  const at::Tensor noise = (uniform - mean) / uniform.std(-1, /*unbiased=*/true, /*keepdim=*/true);
  const at::Tensor own =
      noise * flat.std(-1, /*unbiased=*/true, /*keepdim=*/true) + flat.mean(-1, /*keepdim=*/true);
  return (flat - own).view_as(attended);
}

at::Tensor less_map_noise(const at::Tensor& attention, const at::Tensor& normal) {
  const at::Tensor seen = attention.detach().gt(0);
  const at::Tensor count = seen.sum(-1, /*keepdim=*/true);
  const at::Tensor mean = attention.sum(-1, /*keepdim=*/true) / count;
  const at::Tensor squares = ((attention - mean) * seen).square().sum(-1, /*keepdim=*/true);
  // A query that sees one token has no deviation; the root of 0 has no gradient.
  const at::Tensor variance = squares / (count - 1).clamp_min(1);
  const at::Tensor deviation = at::where(variance.gt(0), variance, 1).sqrt() * variance.gt(0);
  const std::int64_t behind = attention.size(-1) - attention.size(-2);
  const at::Tensor own =
      at::ones({attention.size(-2), attention.size(-1)}, seen.options()).triu(behind).tril(behind);
  return attention - ((mean + deviation * normal) * seen).masked_fill(own, 0);
}

at::Tensor PerturbedAttention::without_map_noise(const AttentionInput& input,
                                                 search::RandomKey key) const {
  const AttentionTrace trace = inner().trace(input);
  const at::Tensor noise =
      normal_tensor(key, trace.attention.sizes()).to(trace.attention.options());
  return join_heads(at::matmul(less_map_noise(trace.attention, noise), trace.values));
}

at::Tensor PerturbedAttention::without_output_noise(const AttentionInput& input,
                                                    const AttentionPass& pass) const {
  const HeadMap& map = inner().key_map();
  const at::Tensor mixed = inner().mix(input, pass);
  const at::Tensor attended = split_heads(mixed, mixed.size(2) / map.queries());
  std::vector<at::Tensor> heads(static_cast<std::size_t>(map.queries()));
  std::uint64_t group = 0;
  for (const std::vector<std::int64_t>& readers : readers_of(map)) {
    const search::RandomKey key = pass.key.split(group++);
    if (readers.empty()) continue;
    const at::Tensor index = at::tensor(readers, at::kLong).to(attended.device());
    const at::Tensor own = attended.index_select(1, index);
    const at::Tensor uniform = uniform_tensor(key, {own.size(1), own.size(2) * own.size(3)});
    const at::Tensor result =
        less_output_noise(own, without_diagonal(uniform).to(attended.options()));
    for (std::size_t i = 0; i < readers.size(); ++i) {
      heads[static_cast<std::size_t>(readers[i])] = result.select(1, static_cast<std::int64_t>(i));
    }
  }
  return join_heads(at::stack(heads, 1));
}

at::Tensor PerturbedAttention::mix(const AttentionInput& input, const AttentionPass& pass) const {
  if (!pass.is_training && !always_) return inner().mix(input, pass);
  return form_ == NoiseForm::kPaper ? without_map_noise(input, pass.key)
                                    : without_output_noise(input, pass);
}

}  // namespace regroup::models
