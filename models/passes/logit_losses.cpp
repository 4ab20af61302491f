#include "models/passes/logit_losses.hpp"

namespace regroup::models {
namespace {

/// e to this and any share of it are far from the ends of float32.
constexpr double kLargestExponent = 30;

}  // namespace

at::Tensor target_losses(const at::Tensor& logits, const at::Tensor& targets) {
  const at::Tensor chosen = logits.gather(1, targets.unsqueeze(1)).squeeze(1);
  return logits.logsumexp(1) - chosen;
}

at::Tensor divergences(const at::Tensor& source, const at::Tensor& logits) {
  const at::Tensor fixed = source.detach();
  const at::Tensor p = fixed.softmax(1);
  const at::Tensor difference = logits - fixed;
  const at::Tensor mean = (p * difference).sum(1, /*keepdim=*/true);
  const at::Tensor x = difference - mean;
  const at::Tensor is_far = x.amax(1).gt(kLargestExponent);
  const bool any_is_far = is_far.any().item<bool>();
  // Infinite terms would make the gradient of what `where` leaves out NaN.
  const at::Tensor bounded = any_is_far ? x.masked_fill(is_far.unsqueeze(1), 0) : x;
  const at::Tensor near = (bounded.expm1() * p).sum(1).log1p();
  if (!any_is_far) return near;
  return at::where(is_far, logits.logsumexp(1) - fixed.logsumexp(1) - mean.squeeze(1), near);
}

at::Tensor state_distances(const at::Tensor& source, const at::Tensor& states) {
  const at::Tensor fixed = source.detach();
  return (states - fixed).square().sum(1) / fixed.square().sum(1);
}

at::Tensor state_cosines(const at::Tensor& source, const at::Tensor& states) {
  return at::cosine_similarity(source, states, 1);
}

at::Tensor drawn_state_gradient(const at::Tensor& states, const at::Tensor& drawn) {
  const at::Tensor deviation = (states.square().sum(1, /*keepdim=*/true) / 2).sqrt();
  return drawn / deviation;
}

}  // namespace regroup::models
