#pragma once

#include <ATen/ATen.h>

#include "models/architecture/model_config.hpp"
#include "models/tensors/compute.hpp"

namespace regroup::models {

/// ALiBi (arXiv 2108.12409): a bias of attention logits that falls with the distance of the key, at
/// a pace of each query head's own. Given by the key's position alone, which is the same to a
/// softmax. Immutable.
class Alibi {
 public:
  Alibi(const AlibiConfig& config, const ComputeOptions& options);

  /// [1, H, 1, keys] for keys at positions 0, 1, …
  at::Tensor operator()(std::int64_t keys) const;

 private:
  at::Tensor slopes_;  // [1, H, 1, 1]
  bool in_bfloat16_;
  double scale_;
};

}  // namespace regroup::models
