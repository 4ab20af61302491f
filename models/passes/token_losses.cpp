#include "models/passes/token_losses.hpp"

namespace regroup::models {
namespace {

/// Logits are made in pieces that stay in the cache, of so many numbers or so many tokens: those of
/// a whole batch would stream through the memory, and with a large vocabulary fill it.
constexpr std::int64_t kLogitsAtOnce = std::int64_t{1} << 20;
constexpr std::int64_t kLeastTokensAtOnce = 64;
/// A GPU waits for every piece, and so gets large ones.
constexpr std::int64_t kLogitsAtOnceOnGpu = std::int64_t{1} << 26;
/// e to this and any share of it are far from the ends of float32.
constexpr double kLargestExponent = 30;

/// −log p of every target: logits [tokens, vocabulary], targets [tokens] → [tokens], double, on the
/// CPU.
at::Tensor target_losses(const at::Tensor& logits, const at::Tensor& targets) {
  const at::Tensor chosen = logits.gather(1, targets.unsqueeze(1)).squeeze(1);
  return (logits.logsumexp(1) - chosen).to(at::kCPU, at::kDouble);
}

/// 1 for every target that is not the most likely token: the same shapes.
at::Tensor target_errors(const at::Tensor& logits, const at::Tensor& targets) {
  return logits.argmax(1).ne(targets).to(at::kCPU, at::kDouble);
}

/// KL(source ‖ model) at every position: logits [tokens, vocabulary] of both → [tokens], float32.
///
/// With x = logits − source, less its mean under the source's p, KL = log Σ p eˣ = log(1 + Σ p (eˣ
/// − 1)): of models that are close the terms are small, where those of Σ p (log p − log q) would
/// cancel each other and leave their rounding. Where x could overflow the model is far away, and
/// the plain difference of the normalisers will do.
at::Tensor divergences(const at::Tensor& source, const at::Tensor& logits) {
  const at::Tensor p = source.softmax(1);
  at::Tensor x = logits - source;
  const at::Tensor mean = (p * x).sum(1, /*keepdim=*/true);
  x.sub_(mean);
  const at::Tensor is_far = x.amax(1).gt(kLargestExponent);
  const at::Tensor near = x.expm1_().mul_(p).sum(1).log1p_();
  if (!is_far.any().item<bool>()) return near;
  return at::where(is_far, logits.logsumexp(1) - source.logsumexp(1) - mean.squeeze(1), near);
}

/// −Σ p log p at every position, [tokens], double, on the CPU.
at::Tensor entropies(const at::Tensor& logits) {
  const at::Tensor logs = logits.log_softmax(1);
  return -(logs.exp() * logs).sum(1).to(at::kCPU, at::kDouble);
}

/// The fields of WindowScore at every position: [4, tokens], double, on the CPU. Without targets
/// the source's distribution stands for them.
at::Tensor token_scores(const at::Tensor& source, const at::Tensor& logits,
                        const at::Tensor& targets) {
  const at::Tensor best = logits.argmax(1);
  const at::Tensor divergence = divergences(source, logits).to(at::kCPU, at::kDouble);
  const at::Tensor agreement = best.eq(source.argmax(1)).to(at::kCPU, at::kDouble);
  if (!targets.defined()) {
    return at::stack({entropies(source) + divergence, divergence, agreement, agreement});
  }
  return at::stack({target_losses(logits, targets), divergence, agreement,
                    best.eq(targets).to(at::kCPU, at::kDouble)});
}

/// Tokens whose logits are made together.
std::int64_t tokens_at_once(const Transformer& model) {
  const std::int64_t logits = model.options().device.cuda ? kLogitsAtOnceOnGpu : kLogitsAtOnce;
  return std::max(kLeastTokensAtOnce, logits / model.outputs());
}

}  // namespace

at::Tensor batch_states(const Transformer& model, const Windows& windows, std::size_t begin,
                        std::size_t end) {
  return model.hidden_states(input_batch(model, windows, begin, end)).flatten(0, 1);
}

void batch_means(const Transformer& model, const at::Tensor& states, const Windows& windows,
                 WindowRange range, TokenMeasure measure, std::span<double> means) {
  const auto count = static_cast<std::int64_t>(range.end - range.begin);
  const at::Tensor targets = batch_targets(model, windows, range.begin, range.end);
  const auto measure_tokens = measure == TokenMeasure::kLoss ? target_losses : target_errors;
  const std::int64_t step = tokens_at_once(model);
  std::vector<at::Tensor> parts;
  for (std::int64_t from = 0; from < states.size(0); from += step) {
    parts.push_back(measure_tokens(model.logits(states.slice(0, from, from + step)),
                                   targets.slice(0, from, from + step)));
  }
  const at::Tensor of_windows = at::cat(parts).view({count, -1}).mean(1);
  for (std::int64_t i = 0; i < count; ++i) {
    means[range.begin + static_cast<std::size_t>(i)] = of_windows[i].item<double>();
  }
}

void batch_scores(const Transformer& model, const at::Tensor& states, const Transformer& source,
                  const at::Tensor& source_states, const Windows& windows, WindowRange range,
                  std::span<WindowScore> scores) {
  const auto count = static_cast<std::int64_t>(range.end - range.begin);
  const at::Tensor targets = model.is_measured_by_source()
                                 ? at::Tensor()
                                 : batch_targets(model, windows, range.begin, range.end);
  const std::int64_t step = tokens_at_once(model);
  std::vector<at::Tensor> parts;
  for (std::int64_t from = 0; from < states.size(0); from += step) {
    const at::Tensor of_source = source_states.slice(0, from, from + step).to(states.device());
    const at::Tensor some = targets.defined() ? targets.slice(0, from, from + step) : at::Tensor();
    parts.push_back(token_scores(source.logits(of_source),
                                 model.logits(states.slice(0, from, from + step)), some));
  }
  const at::Tensor means = at::cat(parts, 1).view({4, count, -1}).mean(2);
  const auto values = means.accessor<double, 2>();
  for (std::int64_t i = 0; i < count; ++i) {
    scores[range.begin + static_cast<std::size_t>(i)] = {values[0][i], values[1][i], values[2][i],
                                                         values[3][i]};
  }
}

at::Tensor losses_and_errors(const Transformer& transformer, const at::Tensor& states,
                             const at::Tensor& targets) {
  const std::int64_t step = tokens_at_once(transformer);
  std::vector<at::Tensor> parts;
  for (std::int64_t from = 0; from < states.size(0); from += step) {
    const at::Tensor logits = transformer.logits(states.slice(0, from, from + step));
    const at::Tensor wanted = targets.slice(0, from, from + step);
    parts.push_back(at::stack({target_losses(logits, wanted), target_errors(logits, wanted)}));
  }
  return at::cat(parts, 1);
}

}  // namespace regroup::models
