#include "models/transformer/token_losses.hpp"

#include "models/transformer/tensors.hpp"

namespace regroup::models {
namespace {

/// Logits are made in pieces that stay in the cache, of so many numbers or so many tokens: those of
/// a whole batch would stream through the memory, and with a large vocabulary fill it.
constexpr std::int64_t kLogitsAtOnce = std::int64_t{1} << 20;
constexpr std::int64_t kLeastTokensAtOnce = 64;
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

/// The fields of WindowScore at every position: [4, tokens], double, on the CPU.
at::Tensor token_scores(const at::Tensor& source, const at::Tensor& logits,
                        const at::Tensor& targets) {
  const at::Tensor best = logits.argmax(1);
  return at::stack({target_losses(logits, targets),
                    divergences(source, logits).to(at::kCPU, at::kDouble),
                    best.eq(source.argmax(1)).to(at::kCPU, at::kDouble),
                    best.eq(targets).to(at::kCPU, at::kDouble)});
}

/// Tokens whose logits are made together.
std::int64_t tokens_at_once(const Decoder& decoder) {
  return std::max(kLeastTokensAtOnce, kLogitsAtOnce / decoder.vocabulary());
}

/// The next token of every input of windows begin … end − 1: [windows · context].
at::Tensor batch_targets(const Decoder& decoder, const TokenWindows& windows, std::size_t begin,
                         std::size_t end) {
  return window_tensor(windows, begin, end, decoder.options()).slice(1, 1).flatten();
}

}  // namespace

at::Tensor id_tensor(std::span<const std::int32_t> ids, std::int64_t batch,
                     const ComputeOptions& options) {
  const at::Tensor tensor = at::empty({batch, std::ssize(ids) / batch}, at::kLong);
  std::copy(ids.begin(), ids.end(), tensor.data_ptr<std::int64_t>());
  return options.device.cuda
             ? tensor.to(at::Device(at::kCUDA, static_cast<signed char>(options.device.index)))
             : tensor;
}

at::Tensor window_tensor(const TokenWindows& windows, std::size_t begin, std::size_t end,
                         const ComputeOptions& options) {
  const std::size_t stride = static_cast<std::size_t>(windows.context()) + 1;
  return id_tensor(windows.ids().subspan(begin * stride, (end - begin) * stride),
                   static_cast<std::int64_t>(end - begin), options);
}

at::Tensor batch_states(const Decoder& decoder, const TokenWindows& windows, std::size_t begin,
                        std::size_t end) {
  const at::Tensor ids = window_tensor(windows, begin, end, decoder.options());
  return decoder.hidden_states(ids.slice(1, 0, windows.context())).flatten(0, 1);
}

void batch_means(const Decoder& decoder, const at::Tensor& states, const TokenWindows& windows,
                 std::size_t begin, TokenMeasure measure, std::span<double> means) {
  const std::size_t count = static_cast<std::size_t>(states.size(0) / windows.context());
  const at::Tensor targets = batch_targets(decoder, windows, begin, begin + count);
  const auto measure_tokens = measure == TokenMeasure::kLoss ? target_losses : target_errors;
  const std::int64_t step = tokens_at_once(decoder);
  std::vector<at::Tensor> parts;
  for (std::int64_t from = 0; from < states.size(0); from += step) {
    parts.push_back(measure_tokens(decoder.logits(states.slice(0, from, from + step)),
                                   targets.slice(0, from, from + step)));
  }
  const at::Tensor of_windows = at::cat(parts).view({-1, windows.context()}).mean(1);
  for (std::size_t i = 0; i < count; ++i) {
    means[begin + i] = of_windows[static_cast<std::int64_t>(i)].item<double>();
  }
}

void batch_scores(const Decoder& decoder, const at::Tensor& states, const Decoder& source,
                  const at::Tensor& source_states, const TokenWindows& windows, std::size_t begin,
                  std::span<WindowScore> scores) {
  const std::size_t count = static_cast<std::size_t>(states.size(0) / windows.context());
  const at::Tensor targets = batch_targets(decoder, windows, begin, begin + count);
  const std::int64_t step = tokens_at_once(decoder);
  std::vector<at::Tensor> parts;
  for (std::int64_t from = 0; from < states.size(0); from += step) {
    const at::Tensor of_source = source_states.slice(0, from, from + step).to(states.device());
    parts.push_back(token_scores(source.logits(of_source),
                                 decoder.logits(states.slice(0, from, from + step)),
                                 targets.slice(0, from, from + step)));
  }
  const at::Tensor means = at::cat(parts, 1).view({4, -1, windows.context()}).mean(2);
  const auto values = means.accessor<double, 2>();
  for (std::size_t i = 0; i < count; ++i) {
    const auto w = static_cast<std::int64_t>(i);
    scores[begin + i] = {values[0][w], values[1][w], values[2][w], values[3][w]};
  }
}

at::Tensor losses_and_errors(const Decoder& decoder, const at::Tensor& states,
                             const at::Tensor& targets) {
  const std::int64_t step = tokens_at_once(decoder);
  std::vector<at::Tensor> parts;
  for (std::int64_t from = 0; from < states.size(0); from += step) {
    const at::Tensor logits = decoder.logits(states.slice(0, from, from + step));
    const at::Tensor wanted = targets.slice(0, from, from + step);
    parts.push_back(at::stack({target_losses(logits, wanted), target_errors(logits, wanted)}));
  }
  return at::cat(parts, 1);
}

}  // namespace regroup::models
