#include "models/transformer/token_losses.hpp"

#include "models/transformer/tensors.hpp"

namespace regroup::models {
namespace {

/// Logits are made in pieces that stay in the cache, of so many numbers or so many tokens: those of
/// a whole batch would stream through the memory, and with a large vocabulary fill it.
constexpr std::int64_t kLogitsAtOnce = std::int64_t{1} << 20;
constexpr std::int64_t kLeastTokensAtOnce = 64;

/// −log p of every target: hidden [tokens, D], targets [tokens] → [tokens], double, on the CPU.
at::Tensor target_losses(const Decoder& decoder, const at::Tensor& hidden,
                         const at::Tensor& targets) {
  const at::Tensor logits = decoder.logits(hidden);
  const at::Tensor chosen = logits.gather(1, targets.unsqueeze(1)).squeeze(1);
  return (logits.logsumexp(1) - chosen).to(at::kCPU, at::kDouble);
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

void batch_losses(const Decoder& decoder, const TokenWindows& windows, std::size_t begin,
                  std::size_t end, std::span<double> losses) {
  const std::int64_t context = windows.context();
  const at::Tensor ids = window_tensor(windows, begin, end, decoder.options());
  const at::Tensor hidden = decoder.hidden_states(ids.slice(1, 0, context)).flatten(0, 1);
  const at::Tensor targets = ids.slice(1, 1).flatten();
  const std::int64_t vocabulary = decoder.vocabulary();
  const std::int64_t step = std::max(kLeastTokensAtOnce, kLogitsAtOnce / vocabulary);
  std::vector<at::Tensor> parts;
  for (std::int64_t from = 0; from < hidden.size(0); from += step) {
    parts.push_back(target_losses(decoder, hidden.slice(0, from, from + step),
                                  targets.slice(0, from, from + step)));
  }
  const at::Tensor means = at::cat(parts).view({-1, context}).mean(1);
  for (std::size_t w = begin; w < end; ++w) {
    losses[w] = means[static_cast<std::int64_t>(w - begin)].item<double>();
  }
}

}  // namespace regroup::models
