#include "models/passes/gradient_pass.hpp"

#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <span>
#include <string_view>

#include "models/attention/dot_product_attention.hpp"
#include "models/passes/logit_losses.hpp"
#include "models/passes/stream_leaf.hpp"
#include "models/passes/token_losses.hpp"
#include "models/passes/token_sampling.hpp"
#include "models/passes/window_pass.hpp"
#include "models/tensors/eigen_tensors.hpp"

namespace regroup::models {
namespace {

/// What a backward pass over one window leaves in one layer.
struct WindowGradients {
  at::Tensor output;  // at the attention's output, [length, D], as it was computed
  at::Tensor logits;  // Σ of squares by query head, in double on the CPU, as all below
  at::Tensor keys;
  at::Tensor values;
};

/// Sums over windows, in double on the CPU.
struct GradientSums {
  at::Tensor output;  // Σ of outer products
  at::Tensor logits;
  at::Tensor keys;
  at::Tensor values;

  void add(const WindowGradients& window) {
    const at::Tensor rows = window.output.to(at::kDouble);
    accumulate(output, at::mm(rows.t(), rows).cpu());
    accumulate(logits, window.logits);
    accumulate(keys, window.keys);
    accumulate(values, window.values);
  }
};

/// Σ of squares within each of `heads` equal parts of the rows of a weight or a bias.
at::Tensor energy_of_heads(const at::Tensor& gradient, std::int64_t heads) {
  return gradient.to(at::kDouble).view({heads, -1}).square().sum(1).cpu();
}

/// The tensors of a projection: its bias counts as a column of the weight (METHODS §0).
std::vector<at::Tensor> projection_parts(const Attention& attention, std::string_view projection) {
  std::vector<at::Tensor> parts;
  for (const NamedTensor& own : attention.tensors()) {
    const std::string_view name = own.name;
    if (name.substr(0, name.find('.')) == projection) parts.push_back(own.tensor);
  }
  return parts;
}

/// 1 or −1 by chance, of a tensor's shape: as Gaussian numbers are they have mean 0 and variance 1,
/// and no more is made of them than sums of products.
at::Tensor signs_like(const at::Tensor& tensor, search::RandomStream& stream) {
  const at::Tensor result = at::ones(tensor.sizes(), at::kFloat);
  const std::span<float> numbers(result.data_ptr<float>(),
                                 static_cast<std::size_t>(result.numel()));
  for (float& number : numbers) {
    if (stream.chance(0.5)) number = -1;
  }
  return result.to(tensor.device(), tensor.scalar_type());
}

/// A loss with the gradient of Σ −log p(label), labels drawn from p itself.
at::Tensor drawn_loss(const Transformer& model, const at::Tensor& logits,
                      search::RandomStream& stream) {
  if (!model.has_logits()) {
    const at::Tensor states = logits.detach();
    return (drawn_state_gradient(states, signs_like(states, stream)) * logits).sum();
  }
  const at::Tensor labels = draw_tokens(logits.detach(), stream).to(logits.device());
  const at::Tensor chosen = logits.gather(1, labels.unsqueeze(1)).squeeze(1);
  return (logits.logsumexp(1) - chosen).sum();
}

/// The gradient at the last stream of Σ −log p(label), labels drawn from p itself: of every part.
std::vector<at::Tensor> gradient_of_drawn_labels(const Transformer& model, const Stream& last,
                                                 search::RandomKey key) {
  const Stream leaf = leaf_of(last);
  const at::Tensor logits = model.logits(model.finish(leaf))[0];
  search::RandomStream stream(key);
  const at::Tensor loss = drawn_loss(model, logits, stream);
  std::vector<at::Tensor> gradients = {torch::autograd::grad({loss}, {leaf.hidden})[0]};
  if (leaf.memory.defined()) gradients.push_back(at::zeros_like(leaf.memory));
  return gradients;
}

/// What one layer's pass backwards gives.
struct LayerBackward {
  WindowGradients own;
  std::vector<at::Tensor> before;  // at the parts of the stream that enters it
};

/// One layer backwards, given the gradients at the parts of the stream after it.
LayerBackward layer_backward(const Transformer& model, std::size_t layer, const Stream& stream,
                             const std::vector<at::Tensor>& gradient, std::int64_t kv_heads) {
  const Stream leaf = leaf_of(stream);
  const auto attention = model.attention(layer).with_own_weights();
  const AttentionTrace trace = attention->trace(model.attention_input(layer, leaf));
  const at::Tensor output = attention->project(trace.mixed);
  const Stream next = model.after_attention(layer, leaf, output);
  // What does not depend on this layer, as the target's embeddings after the last of the encoder,
  // has no gradient.
  std::vector<at::Tensor> effects;
  std::vector<at::Tensor> effect_gradients;
  const std::vector<at::Tensor> after = parts_of(next);
  for (std::size_t i = 0; i < after.size(); ++i) {
    if (!after[i].requires_grad()) continue;
    effects.push_back(after[i]);
    effect_gradients.push_back(gradient[i]);
  }
  std::vector<at::Tensor> causes = parts_of(leaf);
  const std::size_t streams = causes.size();
  const std::vector<at::Tensor> keys = projection_parts(*attention, "key");
  const std::vector<at::Tensor> values = projection_parts(*attention, "value");
  causes.insert(causes.end(), {output, trace.logits});
  causes.insert(causes.end(), keys.begin(), keys.end());
  causes.insert(causes.end(), values.begin(), values.end());
  const auto gradients = torch::autograd::grad(effects, causes, effect_gradients);
  LayerBackward result;
  result.own.output = gradients[streams][0];
  result.own.logits =
      gradients[streams + 1][0].to(at::kDouble).square().sum(at::IntArrayRef{1, 2}).cpu();
  for (std::size_t i = streams + 2; i < gradients.size(); ++i) {
    const bool is_key = i < streams + 2 + keys.size();
    accumulate(is_key ? result.own.keys : result.own.values,
               energy_of_heads(gradients[i], kv_heads));
  }
  result.before.assign(gradients.begin(), gradients.begin() + static_cast<std::ptrdiff_t>(streams));
  return result;
}

/// The stream of one window at the input of every layer, and after the last.
std::vector<Stream> streams_of(const Transformer& model, const Windows& windows,
                               std::size_t window) {
  std::vector<Stream> streams = {model.embed(input_batch(model, windows, window, window + 1))};
  for (std::size_t layer = 0; layer < model.layers(); ++layer) {
    streams.push_back(model.advance(layer, streams.back()));
  }
  return streams;
}

/// What a pass over one window leaves in every layer.
std::vector<WindowGradients> window_backward(const Transformer& model, const Windows& windows,
                                             std::size_t window, int kv_heads,
                                             search::RandomKey key) {
  std::vector<Stream> streams = streams_of(model, windows, window);
  std::vector<at::Tensor> gradient =
      gradient_of_drawn_labels(model, streams.back(), key.split(window));
  std::vector<WindowGradients> layers(model.layers());
  for (std::size_t layer = model.layers(); layer-- > 0;) {
    streams.pop_back();
    LayerBackward passed = layer_backward(model, layer, streams.back(), gradient, kv_heads);
    layers[layer] = std::move(passed.own);
    gradient = std::move(passed.before);
  }
  return layers;
}

}  // namespace

std::vector<LayerGradients> gradient_pass(const Transformer& transformer, const Windows& windows,
                                          int kv_heads, search::RandomKey key, std::stop_token stop,
                                          const std::function<void(std::size_t window)>& done) {
  const Device& device = transformer.options().device;
  for (std::size_t layer = 0; layer < transformer.layers(); ++layer) {
    as_dot_product(transformer.attention(layer), "a calibration with gradients");
  }
  std::vector<GradientSums> sums(transformer.layers());
  // Some windows at a time are kept and then added layer by layer, each in their order: one sum a
  // layer is enough, whatever the number of threads.
  for (std::size_t begin = 0; begin < windows.size(); begin += kWindowShares) {
    std::vector<std::vector<WindowGradients>> kept(std::min(kWindowShares, windows.size() - begin));
    for_each_window(
        kept.size(), device, stop,
        [&](std::size_t i) {
          kept[i] = window_backward(transformer, windows, begin + i, kv_heads, key);
          done(begin + i);
        },
        Gradients::kRecorded);
    for_each_batch(sums.size(), 1, device, stop, [&](std::size_t layer, std::size_t) {
      for (const std::vector<WindowGradients>& window : kept) sums[layer].add(window[layer]);
    });
  }
  const auto count = static_cast<double>(windows.size());
  const auto tokens = static_cast<double>(windows.tokens());
  std::vector<LayerGradients> result;
  for (const GradientSums& layer : sums) {
    result.push_back({to_symmetric_matrix(layer.output / tokens), to_vector(layer.logits / tokens),
                      to_vector(layer.keys / count), to_vector(layer.values / count)});
  }
  return result;
}

}  // namespace regroup::models
