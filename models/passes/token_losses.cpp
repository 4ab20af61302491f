#include "models/passes/token_losses.hpp"

#include "models/passes/logit_losses.hpp"
#include "models/passes/settled_stream.hpp"
#include "models/tensors/weight_place.hpp"

namespace regroup::models {
namespace {

/// Logits are made in pieces that stay in the cache, of so many numbers or so many tokens: those of
/// a whole batch would stream through the memory, and with a large vocabulary fill it.
constexpr std::int64_t kLogitsAtOnce = std::int64_t{1} << 20;
constexpr std::int64_t kLeastTokensAtOnce = 64;
/// A GPU waits for every piece, and so gets large ones.
constexpr std::int64_t kLogitsAtOnceOnGpu = std::int64_t{1} << 26;

at::Tensor in_double(const at::Tensor& values) {
  return values.to(at::kCPU, at::kDouble);
}

/// 1 for every target that is not the most likely token: logits [tokens, vocabulary], targets
/// [tokens] → [tokens].
at::Tensor target_errors(const at::Tensor& logits, const at::Tensor& targets) {
  return logits.argmax(1).ne(targets).to(logits.scalar_type());
}

/// −Σ p log p at every position, [tokens], double, on the CPU.
at::Tensor entropies(const at::Tensor& logits) {
  const at::Tensor logs = logits.log_softmax(1);
  return in_double(-(logs.exp() * logs).sum(1));
}

/// The fields of WindowScore at every position: [4, tokens], double, on the CPU. Without targets
/// the source's distribution stands for them.
at::Tensor token_scores(const at::Tensor& source, const at::Tensor& logits,
                        const at::Tensor& targets) {
  const at::Tensor best = logits.argmax(1);
  const at::Tensor divergence = in_double(divergences(source, logits));
  const at::Tensor agreement = in_double(best.eq(source.argmax(1)));
  if (!targets.defined()) {
    return at::stack({entropies(source) + divergence, divergence, agreement, agreement});
  }
  return at::stack({in_double(target_losses(logits, targets)), divergence, agreement,
                    in_double(best.eq(targets))});
}

/// The same of a model without a head: the divergence stands for the loss, the cosine for both
/// shares.
at::Tensor hidden_scores(const at::Tensor& source, const at::Tensor& states) {
  const at::Tensor divergence = in_double(state_distances(source, states));
  const at::Tensor cosine = in_double(state_cosines(source, states));
  return at::stack({divergence, divergence, cosine, cosine});
}

/// Tokens whose logits are made together.
std::int64_t tokens_at_once(const Transformer& model) {
  const std::int64_t logits = model.options().device.cuda ? kLogitsAtOnceOnGpu : kLogitsAtOnce;
  return std::max(kLeastTokensAtOnce, logits / model.outputs());
}

/// `measure`(logits, targets) of all states, [tokens, D] and [tokens], piece by piece.
template <class Measure>
at::Tensor by_pieces(const Transformer& model, const at::Tensor& states, const at::Tensor& targets,
                     const Measure& measure) {
  const std::int64_t step = tokens_at_once(model);
  std::vector<at::Tensor> parts;
  for (std::int64_t from = 0; from < states.size(0); from += step) {
    parts.push_back(measure(model.logits(states.slice(0, from, from + step)),
                            targets.slice(0, from, from + step)));
  }
  return at::cat(parts, -1);
}

}  // namespace

at::Tensor state_losses(const Transformer& model, const at::Tensor& states,
                        const at::Tensor& targets) {
  return by_pieces(model, states, targets, target_losses);
}

at::Tensor state_divergences(const Transformer& model, const at::Tensor& states,
                             const Transformer& source, const at::Tensor& source_states) {
  return by_pieces(
      model, states, source_states, [&](const at::Tensor& logits, const at::Tensor& of_source) {
        const at::Tensor own = source.logits(of_source.to(states.device()));
        return model.has_logits() ? divergences(own, logits) : state_distances(own, logits);
      });
}

at::Tensor batch_states(const Transformer& model, const Windows& windows, std::size_t begin,
                        std::size_t end) {
  return model.hidden_states(input_batch(model, windows, begin, end)).flatten(0, 1);
}

void for_each_states(const Transformer& model, const Windows& windows, std::stop_token stop,
                     const std::function<void(const at::Tensor& states, WindowRange range)>& sink) {
  const Device& device = model.options().device;
  const std::size_t batch = batch_windows(windows, device);
  const auto for_each = [&](const auto& task) {
    for_each_batch(windows.size(), batch, device, stop, task);
  };
  if (!keeps_narrow(model.options())) {
    for_each([&](std::size_t begin, std::size_t end) {
      sink(batch_states(model, windows, begin, end), {begin, end});
    });
    return;
  }
  std::vector<Stream> streams((windows.size() + batch - 1) / batch);
  for_each([&](std::size_t begin, std::size_t end) {
    const InputBatch input = input_batch(model, windows, begin, end);
    streams[begin / batch] = settled(model.embed(input), model.options());
  });
  for (std::size_t layer = 0; layer < model.layers(); ++layer) {
    const auto at_work = model.with_layer_at_hand(layer);
    for_each([&](std::size_t begin, std::size_t) {
      Stream& stream = streams[begin / batch];
      stream = settled(at_work->advance(layer, stream), model.options());
    });
  }
  for_each([&](std::size_t begin, std::size_t end) {
    sink(model.finish(streams[begin / batch]).flatten(0, 1), {begin, end});
  });
}

void batch_means(const Transformer& model, const at::Tensor& states, const Windows& windows,
                 WindowRange range, TokenMeasure measure, std::span<double> means) {
  const auto count = static_cast<std::int64_t>(range.end - range.begin);
  const at::Tensor targets = batch_targets(model, windows, range.begin, range.end);
  const at::Tensor of_tokens = measure == TokenMeasure::kLoss
                                   ? state_losses(model, states, targets)
                                   : by_pieces(model, states, targets, target_errors);
  const at::Tensor of_windows = in_double(of_tokens).view({count, -1}).mean(1);
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
    const at::Tensor wanted = source.logits(of_source);
    const at::Tensor found = model.logits(states.slice(0, from, from + step));
    parts.push_back(model.has_logits() ? token_scores(wanted, found, some)
                                       : hidden_scores(wanted, found));
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
  return in_double(by_pieces(
      transformer, states, targets, [](const at::Tensor& logits, const at::Tensor& wanted) {
        return at::stack({target_losses(logits, wanted), target_errors(logits, wanted)});
      }));
}

}  // namespace regroup::models
