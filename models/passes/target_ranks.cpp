#include "models/passes/target_ranks.hpp"

namespace regroup::models {

std::vector<int> batch_target_ranks(const Transformer& model, const at::Tensor& states,
                                    const Windows& windows, WindowRange range) {
  const at::Tensor logits = model.logits(states);
  const at::Tensor targets = batch_targets(model, windows, range.begin, range.end).unsqueeze(1);
  const at::Tensor chosen = logits.gather(1, targets);
  const at::Tensor outputs = at::arange(logits.size(1), targets.options()).unsqueeze(0);
  const at::Tensor is_before =
      logits.gt(chosen).logical_or(logits.eq(chosen).logical_and(outputs.lt(targets)));
  const at::Tensor ranks = is_before.sum(1).to(at::kCPU, at::kInt).contiguous();
  const int* data = ranks.const_data_ptr<int>();
  return {data, data + ranks.numel()};
}

}  // namespace regroup::models
