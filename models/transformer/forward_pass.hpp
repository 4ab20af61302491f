#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

#include "models/attention/attention.hpp"
#include "search/base/random.hpp"

namespace regroup::models {

/// What a forward pass is for, the same in all layers. By default an evaluation.
struct ForwardPass {
  bool is_training = false;
  search::RandomKey key{0};  ///< of the pass's draws; layer l draws with key.split(l)
  std::uint64_t number = 0;  ///< of the pass in its run: of a training its step
  /// Where not null, one entry a layer: AttentionPass::sums.
  std::vector<at::Tensor>* sums = nullptr;

  AttentionPass of_layer(std::size_t layer) const {
    AttentionPass pass;
    pass.is_training = is_training;
    pass.key = key.split(layer);
    pass.number = number;
    if (sums != nullptr) pass.sums = &(*sums)[layer];
    return pass;
  }
};

}  // namespace regroup::models
