#include "models/training/batch_gradients.hpp"

#include <torch/csrc/autograd/autograd.h>

#include <utility>

#include "models/passes/input_batch.hpp"
#include "models/passes/stream_leaf.hpp"
#include "models/passes/token_losses.hpp"
#include "models/tensors/eigen_tensors.hpp"
#include "models/tensors/tensors.hpp"

namespace regroup::models {
namespace {

double number(const at::Tensor& scalar) {
  return scalar.detach().to(at::kDouble).item<double>();
}

/// One batch, from its windows to the gradients of the handles.
class Batch {
 public:
  Batch(const StepProblem& problem, const Windows& windows, WindowRange range, ForwardPass pass)
      : problem_(problem),
        windows_(windows),
        range_(range),
        pass_(pass),
        positions_(static_cast<double>(windows.tokens(range.begin, range.end))) {
    result_.sums.resize(problem.model.layers());
    pass_.sums = &result_.sums;
  }

  BatchGradients run() && {
    read_source();
    if (problem_.recompute) {
      run_by_layers();
    } else {
      run_whole();
    }
    return std::move(result_);
  }

 private:
  InputBatch input() const {
    return input_batch(problem_.model, windows_, range_.begin, range_.end);
  }

  /// What the loss needs of the source: what its attention layers give, and its last states.
  void read_source() {
    if (problem_.source == nullptr) return;
    const at::AutoGradMode no_gradients(false);
    const Transformer& source = *problem_.source;
    Stream stream = source.embed(input_batch(source, windows_, range_.begin, range_.end));
    for (std::size_t layer = 0; layer < source.layers(); ++layer) {
      const at::Tensor output = source.attention(layer)(source.attention_input(layer, stream));
      if (problem_.terms.hidden > 0) source_outputs_.push_back(output);
      stream = source.after_attention(layer, stream, output);
    }
    source_states_ = source.finish(stream).flatten(0, 1);
  }

  /// One layer, and what its attention's distance from the source's adds to the loss.
  Stream advance(std::size_t layer, const Stream& stream, const ForwardPass& pass,
                 at::Tensor& loss) {
    const Transformer& model = problem_.model;
    const at::Tensor output =
        model.attention(layer)(model.attention_input(layer, stream), pass.of_layer(layer));
    if (problem_.terms.hidden > 0) {
      const at::Tensor wanted = at_least_float(source_outputs_[layer]);
      const at::Tensor distances = (at_least_float(output) - wanted).square().flatten(1).sum(1) /
                                   wanted.square().flatten(1).sum(1);
      loss = positions_ * problem_.terms.hidden * distances.mean();
      if (counts_) result_.losses.hidden += positions_ * number(distances.mean());
    }
    return model.after_attention(layer, stream, output);
  }

  /// The terms that the last states have a part in, summed over positions.
  at::Tensor last_loss(const Stream& stream) {
    const Transformer& model = problem_.model;
    const at::Tensor states = model.finish(stream).flatten(0, 1);
    at::Tensor loss;
    const auto add = [&](double factor, const at::Tensor& of_positions, double& sum) {
      const at::Tensor own = of_positions.sum();
      sum += number(own);
      loss = loss.defined() ? loss + factor * own : factor * own;
    };
    if (problem_.terms.cross_entropy > 0) {
      const at::Tensor targets = batch_targets(model, windows_, range_.begin, range_.end);
      add(problem_.terms.cross_entropy, state_losses(model, states, targets),
          result_.losses.cross_entropy);
    }
    if (problem_.terms.divergence > 0) {
      add(problem_.terms.divergence,
          state_divergences(model, states, *problem_.source, source_states_),
          result_.losses.divergence);
    }
    return loss;
  }

  /// Gradients of the handles and, before them, of `causes`.
  std::vector<at::Tensor> gradients_of(const std::vector<at::Tensor>& effects,
                                       const std::vector<at::Tensor>& weights,
                                       std::vector<at::Tensor> causes) const {
    causes.insert(causes.end(), problem_.handles.begin(), problem_.handles.end());
    // Batches share what makes the model's tensors of the handles.
    return torch::autograd::grad(effects, causes, weights, /*retain_graph=*/true,
                                 /*create_graph=*/false, /*allow_unused=*/true);
  }

  void run_whole() {
    counts_ = true;
    Stream stream = problem_.model.embed(input());
    at::Tensor loss;
    for (std::size_t layer = 0; layer < problem_.model.layers(); ++layer) {
      at::Tensor own;
      stream = advance(layer, stream, pass_, own);
      if (own.defined()) loss = loss.defined() ? loss + own : own;
    }
    const at::Tensor last = last_loss(stream);
    if (last.defined()) loss = loss.defined() ? loss + last : last;
    result_.gradients = gradients_of({loss}, {}, {});
  }

  /// The input of every layer, and what comes of the last.
  std::vector<Stream> streams() {
    const at::AutoGradMode no_gradients(false);
    std::vector<Stream> streams = {problem_.model.embed(input())};
    for (std::size_t layer = 0; layer < problem_.model.layers(); ++layer) {
      at::Tensor loss;
      streams.push_back(advance(layer, streams.back(), pass_, loss));
    }
    return streams;
  }

  void keep(const std::vector<at::Tensor>& found, std::size_t causes) {
    add_defined(result_.gradients,
                {found.begin() + static_cast<std::ptrdiff_t>(causes), found.end()});
  }

  void run_by_layers() {
    counts_ = true;
    std::vector<Stream> inputs = streams();
    counts_ = false;
    Stream leaf = leaf_of(inputs.back());
    std::vector<at::Tensor> gradient(parts_of(leaf).size());
    if (const at::Tensor loss = last_loss(leaf); loss.defined()) {
      const std::vector<at::Tensor> found = gradients_of({loss}, {}, parts_of(leaf));
      gradient.assign(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(gradient.size()));
      keep(found, gradient.size());
    }
    // The sums are those of the first pass.
    ForwardPass again = pass_;
    again.sums = nullptr;
    for (std::size_t layer = problem_.model.layers(); layer-- > 0;) {
      inputs.pop_back();
      gradient = layer_backward(layer, inputs.back(), again, gradient);
    }
    embedding_backward(gradient);
  }

  /// The effects of a scalar loss and of parts of a stream with these gradients.
  std::vector<at::Tensor> backward(const at::Tensor& loss, const std::vector<at::Tensor>& parts,
                                   const std::vector<at::Tensor>& gradient,
                                   const std::vector<at::Tensor>& causes) {
    std::vector<at::Tensor> effects;
    std::vector<at::Tensor> weights;
    if (loss.defined()) {
      effects.push_back(loss);
      weights.push_back(at::ones_like(loss));
    }
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (!parts[i].requires_grad() || !gradient[i].defined()) continue;
      effects.push_back(parts[i]);
      weights.push_back(gradient[i]);
    }
    if (effects.empty()) return std::vector<at::Tensor>(causes.size());
    const std::vector<at::Tensor> found = gradients_of(effects, weights, causes);
    keep(found, causes.size());
    return {found.begin(), found.begin() + static_cast<std::ptrdiff_t>(causes.size())};
  }

  std::vector<at::Tensor> layer_backward(std::size_t layer, const Stream& stream,
                                         const ForwardPass& pass,
                                         const std::vector<at::Tensor>& gradient) {
    Stream leaf = leaf_of(stream);
    // What waits for the decoder is no part of the encoder's last layer but comes out of it.
    if (leaf.waiting.defined()) leaf.waiting = stream.waiting.detach().requires_grad_(true);
    at::Tensor loss;
    const Stream next = advance(layer, leaf, pass, loss);
    std::vector<at::Tensor> causes = parts_of(leaf);
    const bool ends_encoder = leaf.waiting.defined() && !next.waiting.defined();
    if (ends_encoder) causes.push_back(leaf.waiting);
    std::vector<at::Tensor> found = backward(loss, parts_of(next), gradient, causes);
    if (ends_encoder) {
      waiting_gradient_ = found.back();
      found.pop_back();
    }
    return found;
  }

  void embedding_backward(const std::vector<at::Tensor>& gradient) {
    const Stream first = problem_.model.embed(input());
    std::vector<at::Tensor> parts = parts_of(first);
    std::vector<at::Tensor> gradients = gradient;
    if (first.waiting.defined()) {
      parts.push_back(first.waiting);
      gradients.push_back(waiting_gradient_);
    }
    backward({}, parts, gradients, {});
  }

  const StepProblem& problem_;
  const Windows& windows_;
  WindowRange range_;
  ForwardPass pass_;
  double positions_;
  std::vector<at::Tensor> source_outputs_;
  at::Tensor source_states_;
  at::Tensor waiting_gradient_;
  bool counts_ = false;  // whether the hidden term is added to what was measured
  BatchGradients result_;
};

}  // namespace

void add_defined(std::vector<at::Tensor>& sums, const std::vector<at::Tensor>& parts) {
  sums.resize(parts.size());
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].defined()) accumulate(sums[i], parts[i]);
  }
}

BatchGradients batch_gradients(const StepProblem& problem, const Windows& windows,
                               WindowRange range, const ForwardPass& pass) {
  return Batch(problem, windows, range, pass).run();
}

}  // namespace regroup::models
