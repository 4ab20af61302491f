#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "models/passes/input_batch.hpp"
#include "models/passes/token_losses.hpp"
#include "models/transformer/transformer.hpp"
#include "search/base/random.hpp"
#include "tests/fixtures/random_checkpoint.hpp"
#include "tests/fixtures/tiny_family.hpp"
#include "tests/support/temporary_directory.hpp"

namespace regroup::tests {

/// A tiny random model of one family on disk, and as a transformer in a computation's type.
struct OverlayScene {
  explicit OverlayScene(std::string_view architecture, models::DType computed = models::DType::kF32,
                        models::DType stored = models::DType::kF32, std::uint64_t seed = 5)
      : config(tiny_config(architecture)),
        values(random_values(config, seed)),
        model(write(scratch.path() / "source", values, stored)),
        transformer(*model, {.dtype = computed}) {
    models::use_one_thread_per_operation();
  }

  /// A checkpoint of the same model with these values, opened.
  std::shared_ptr<const models::PretrainedModel> write(const std::filesystem::path& directory,
                                                       const TensorValues& with,
                                                       models::DType stored) const {
    write_checkpoint(directory, config, with, stored);
    return std::make_shared<const models::PretrainedModel>(models::open_model(directory));
  }

  models::Transformer with(const models::WeightOverlay& overlay) const {
    return {*model, transformer, overlay};
  }
  /// All parameters, trainable.
  models::WeightOverlay all_trainable() const {
    return transformer.trainable([](const models::ModelParameter&) { return true; },
                                 scalar_type_of(transformer));
  }
  models::Windows windows(int count = 2) const { return random_windows(model->config, count, 3); }

  static at::ScalarType scalar_type_of(const models::Transformer& transformer) {
    return transformer.options().dtype == models::DType::kF64 ? at::kDouble : at::kFloat;
  }

  nlohmann::json config;
  TensorValues values;
  TemporaryDirectory scratch;
  std::shared_ptr<const models::PretrainedModel> model;
  models::Transformer transformer;
};

/// Logits of every scored position of all windows, [positions, outputs].
inline at::Tensor logits_of(const models::Transformer& transformer,
                            const models::Windows& windows) {
  std::vector<at::Tensor> logits;
  for (std::size_t w = 0; w < windows.size(); ++w) {
    logits.push_back(transformer.logits(models::batch_states(transformer, windows, w, w + 1)));
  }
  return at::cat(logits);
}

/// Cross-entropy of the targets plus the divergence from a source, means over each window's
/// positions, summed over windows.
inline at::Tensor loss_of(const models::Transformer& transformer, const models::Transformer& source,
                          const models::Windows& windows) {
  at::Tensor loss;
  for (std::size_t w = 0; w < windows.size(); ++w) {
    const at::Tensor states = models::batch_states(transformer, windows, w, w + 1);
    const at::Tensor of_source = models::batch_states(source, windows, w, w + 1);
    at::Tensor both = models::state_divergences(transformer, states, source, of_source).mean();
    if (transformer.has_logits()) {  // a model without a head has no targets
      const at::Tensor targets = models::batch_targets(transformer, windows, w, w + 1);
      both = both + models::state_losses(transformer, states, targets).mean();
    }
    loss = loss.defined() ? loss + both : both;
  }
  return loss;
}

/// The overlay with small random changes of all its tensors, which record no gradients.
inline models::WeightOverlay disturbed(const models::WeightOverlay& overlay, std::uint64_t seed) {
  models::WeightOverlay result;
  search::RandomStream random{search::RandomKey(seed)};
  for (const auto& [name, tensor] : overlay.tensors()) {
    const at::Tensor noise = at::empty(tensor.sizes(), at::kFloat);
    for (float& value :
         std::span(noise.data_ptr<float>(), static_cast<std::size_t>(noise.numel()))) {
      value = static_cast<float>(0.1 * (2 * random.unit() - 1));
    }
    result.set(name, tensor.detach() + noise);
  }
  return result;
}

}  // namespace regroup::tests
