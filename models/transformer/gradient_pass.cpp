#include "models/transformer/gradient_pass.hpp"

#include <torch/csrc/autograd/autograd.h>

#include <array>

#include "models/transformer/eigen_tensors.hpp"
#include "models/transformer/token_losses.hpp"
#include "models/transformer/token_sampling.hpp"
#include "models/transformer/window_pass.hpp"

namespace regroup::models {
namespace {

/// Sums over windows of what a backward pass leaves in one layer, in double on the CPU.
struct GradientSums {
  at::Tensor output;
  at::Tensor logits;
  at::Tensor keys;
  at::Tensor values;

  void add(const GradientSums& other) {
    if (!other.output.defined()) return;
    accumulate(output, other.output);
    accumulate(logits, other.logits);
    accumulate(keys, other.keys);
    accumulate(values, other.values);
  }
};

/// Σ of squares within each of `heads` equal parts of the rows of a weight or a bias.
at::Tensor energy_of_heads(const at::Tensor& gradient, std::int64_t heads) {
  return gradient.to(at::kDouble).view({heads, -1}).square().sum(1).cpu();
}

/// The tensors of a projection: its bias counts as a column of the weight (METHODS §0).
std::vector<at::Tensor> parts_of(const Linear& projection) {
  if (!projection.bias.defined()) return {projection.weight};
  return {projection.weight, projection.bias};
}

/// The gradient at the last hidden states of Σ_t −log p(label), labels drawn from p itself.
at::Tensor gradient_of_drawn_labels(const Decoder& decoder, const at::Tensor& states,
                                    search::RandomKey key) {
  const at::AutoGradMode with_gradients(true);
  const at::Tensor leaf = states.detach().requires_grad_(true);
  const at::Tensor logits = decoder.logits(decoder.finish(leaf))[0];
  search::RandomStream stream(key);
  const at::Tensor labels = draw_tokens(logits.detach(), stream).to(logits.device());
  const at::Tensor chosen = logits.gather(1, labels.unsqueeze(1)).squeeze(1);
  const at::Tensor loss = (logits.logsumexp(1) - chosen).sum();
  return torch::autograd::grad({loss}, {leaf})[0];
}

/// One layer backwards: adds its sums and returns the gradient at its own input.
at::Tensor layer_backward(const Decoder& decoder, std::size_t layer, const at::Tensor& states,
                          const at::Tensor& gradient, std::int64_t kv_heads, GradientSums& sums) {
  const at::AutoGradMode with_gradients(true);
  const at::Tensor leaf = states.detach().requires_grad_(true);
  const Attention attention = decoder.attention(layer).with_own_kv_weights();
  const AttentionTrace trace =
      attention.trace(decoder.attention_input(layer, leaf), decoder.rotary());
  const at::Tensor output = attention.project(trace.mixed);
  const at::Tensor next = decoder.after_attention(layer, leaf, output);
  std::vector<at::Tensor> causes = {leaf, output, trace.logits};
  const std::vector<at::Tensor> keys = parts_of(attention.key());
  const std::vector<at::Tensor> values = parts_of(attention.value());
  causes.insert(causes.end(), keys.begin(), keys.end());
  causes.insert(causes.end(), values.begin(), values.end());
  const auto gradients = torch::autograd::grad({next}, causes, {gradient});
  const at::Tensor rows = gradients[1][0].to(at::kDouble);
  accumulate(sums.output, at::mm(rows.t(), rows).cpu());
  accumulate(sums.logits,
             gradients[2][0].to(at::kDouble).square().sum(at::IntArrayRef{1, 2}).cpu());
  for (std::size_t i = 3; i < gradients.size(); ++i) {
    const bool is_key = i < 3 + keys.size();
    accumulate(is_key ? sums.keys : sums.values, energy_of_heads(gradients[i], kv_heads));
  }
  return gradients[0];
}

/// Hidden states of one window at the input of every layer, and after the last.
std::vector<at::Tensor> states_of(const Decoder& decoder, const TokenWindows& windows,
                                  std::size_t window) {
  const at::Tensor ids = window_tensor(windows, window, window + 1, decoder.options());
  std::vector<at::Tensor> states = {decoder.embed(ids.slice(1, 0, windows.context()))};
  for (std::size_t layer = 0; layer < decoder.layers(); ++layer) {
    states.push_back(decoder.advance(layer, states.back()));
  }
  return states;
}

}  // namespace

std::vector<LayerGradients> gradient_pass(const Decoder& decoder, const TokenWindows& windows,
                                          int kv_heads, search::RandomKey key, std::stop_token stop,
                                          const std::function<void()>& done) {
  std::array<std::vector<GradientSums>, kWindowShares> shares;
  for (auto& share : shares) share.resize(decoder.layers());
  for_each_share(
      windows.size(), decoder.options().device, stop, [&](std::size_t share, std::size_t window) {
        std::vector<at::Tensor> states = states_of(decoder, windows, window);
        at::Tensor gradient = gradient_of_drawn_labels(decoder, states.back(), key.split(window));
        for (std::size_t layer = decoder.layers(); layer-- > 0;) {
          states.pop_back();
          gradient = layer_backward(decoder, layer, states.back(), gradient, kv_heads,
                                    shares[share][layer]);
        }
        done();
      });
  const at::NoGradGuard no_gradients;
  const auto count = static_cast<double>(windows.size());
  const auto tokens = static_cast<double>(windows.tokens());
  std::vector<LayerGradients> result;
  for (std::size_t layer = 0; layer < decoder.layers(); ++layer) {
    GradientSums& sums = shares[0][layer];
    for (std::size_t share = 1; share < kWindowShares; ++share) sums.add(shares[share][layer]);
    result.push_back({to_symmetric_matrix(sums.output / tokens), to_vector(sums.logits / tokens),
                      to_vector(sums.keys / count), to_vector(sums.values / count)});
  }
  return result;
}

}  // namespace regroup::models
