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
#include "search/base/parallel.hpp"

namespace regroup::models {
namespace {

/// What backward passes leave in one layer, summed over a window or over several, in double on the
/// CPU.
struct GradientSums {
  at::Tensor output;  // Σ of outer products at the attention's output, [D, D]
  at::Tensor logits;  // Σ of squares by query head, as both below by KV head
  at::Tensor keys;
  at::Tensor values;

  void add(const GradientSums& window) {
    accumulate(output, window.output);
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
  GradientSums own;
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
  const at::Tensor rows = gradients[streams][0].to(at::kDouble);
  result.own.output = at::mm(rows.t(), rows).cpu();
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

/// Windows [begin, end) that pass through the model together, layer by layer.
class WindowGroup {
 public:
  WindowGroup(const LayerStates& states, WindowRange range, std::stop_token stop)
      : states_(states), range_(range), stop_(std::move(stop)) {
    if (!states.keeps_all()) forward();
  }

  /// The gradients at the last streams, labels drawn with a key for each window.
  void draw(search::RandomKey key) {
    const std::vector<Stream> last = entering(model().layers());
    gradients_.resize(size());
    for_each(
        [&](std::size_t i) {
          gradients_[i] = gradient_of_drawn_labels(model(), last[i], key.split(range_.begin + i));
        },
        Gradients::kRecorded);
  }

  /// One layer backwards, after those behind it: adds to its sums, window by window in their order,
  /// and takes the gradients to the layer before it.
  void backward(std::size_t layer, int kv_heads, GradientSums& sums, const TokensDone& done) {
    const std::vector<Stream> streams = entering(layer);
    const auto at_work = model().with_layer_at_hand(layer);
    // Some windows at a time, as each has its own products until they are added.
    const auto together =
        std::min(kWindowShares, static_cast<std::size_t>(std::max(1, search::threads())));
    for (std::size_t begin = 0; begin < size(); begin += together) {
      std::vector<GradientSums> own(std::min(together, size() - begin));
      for_each_window(
          own.size(), model().options().device, stop_,
          [&](std::size_t i) {
            LayerBackward passed = layer_backward(*at_work, layer, streams[begin + i],
                                                  gradients_[begin + i], kv_heads);
            own[i] = std::move(passed.own);
            gradients_[begin + i] = std::move(passed.before);
            const std::size_t window = range_.begin + begin + i;
            done(states_.windows().tokens(window, window + 1));
          },
          Gradients::kRecorded);
      for (const GradientSums& window : own) sums.add(window);
    }
  }

 private:
  const Transformer& model() const { return states_.transformer(); }
  std::size_t size() const { return range_.end - range_.begin; }
  void for_each(const std::function<void(std::size_t)>& task,
                Gradients gradients = Gradients::kNone) const {
    for_each_window(size(), model().options().device, stop_, task, gradients);
  }

  /// Keeps what enters every layer.
  void forward() {
    streams_.assign(model().layers() + 1, std::vector<Stream>(size()));
    for_each([&](std::size_t i) {
      const std::size_t window = range_.begin + i;
      streams_[0][i] = model().embed(input_batch(model(), states_.windows(), window, window + 1));
      for (std::size_t layer = 0; layer < model().layers(); ++layer) {
        streams_[layer + 1][i] = model().advance(layer, streams_[layer][i]);
      }
    });
  }

  std::vector<Stream> entering(std::size_t layer) const {
    if (!streams_.empty()) return streams_[layer];
    const std::vector<Stream> all = states_.at_layer(layer, stop_);
    return {all.begin() + static_cast<std::ptrdiff_t>(range_.begin),
            all.begin() + static_cast<std::ptrdiff_t>(range_.end)};
  }

  const LayerStates& states_;
  WindowRange range_;
  std::stop_token stop_;
  std::vector<std::vector<Stream>> streams_;  // by layer and window; empty where states are kept
  std::vector<std::vector<at::Tensor>> gradients_;  // by window, at the parts of the last stream
};

}  // namespace

void gradient_pass(const LayerStates& states, int kv_heads, search::RandomKey key,
                   std::stop_token stop, const LayerDone& layer_done,
                   const TokensDone& tokens_done) {
  const Windows& windows = states.windows();
  const std::size_t layers = states.transformer().layers();
  for (std::size_t layer = 0; layer < layers; ++layer) {
    as_dot_product(states.transformer().attention(layer), "a calibration with gradients");
  }
  const auto count = static_cast<double>(windows.size());
  const auto tokens = static_cast<double>(windows.tokens());
  std::vector<GradientSums> sums(layers);
  const std::size_t group = states.keeps_all() ? windows.size() : kWindowShares;
  for (std::size_t begin = 0; begin < windows.size(); begin += group) {
    const std::size_t end = std::min(windows.size(), begin + group);
    WindowGroup together(states, {begin, end}, stop);
    together.draw(key);
    for (std::size_t layer = layers; layer-- > 0;) {
      GradientSums& own = sums[layer];
      together.backward(layer, kv_heads, own, tokens_done);
      if (end < windows.size()) continue;
      layer_done(layer, {to_symmetric_matrix(own.output / tokens), to_vector(own.logits / tokens),
                         to_vector(own.keys / count), to_vector(own.values / count)});
      own = {};
    }
  }
}

}  // namespace regroup::models
