#include "models/passes/input_batch.hpp"

#include <algorithm>

#include "models/images/image_set.hpp"
#include "models/passes/window_pass.hpp"
#include "models/tensors/tensors.hpp"

namespace regroup::models {
namespace {

at::Tensor to_device(const at::Tensor& tensor, const ComputeOptions& options) {
  if (!options.device.cuda) return tensor;
  return tensor.to(at::Device(at::kCUDA, static_cast<signed char>(options.device.index)));
}

/// Windows of text, [windows, context + 1].
at::Tensor window_tensor(const Windows& windows, std::size_t begin, std::size_t end,
                         const ComputeOptions& options) {
  const std::size_t stride = static_cast<std::size_t>(windows.context()) + 1;
  return id_tensor(windows.ids().subspan(begin * stride, (end - begin) * stride),
                   static_cast<std::int64_t>(end - begin), options);
}

at::Tensor numbers_of(const std::vector<float>& numbers, at::IntArrayRef shape) {
  const at::Tensor result = at::empty(shape, at::kFloat);
  std::copy(numbers.begin(), numbers.end(), result.data_ptr<float>());
  return result;
}

/// Ids of the same lengths, one window after another: [windows, length].
at::Tensor joined_ids(const Windows& windows, WindowRange range,
                      std::vector<std::int32_t> TokenPair::*half, const ComputeOptions& options) {
  std::vector<std::int32_t> ids;
  for (const TokenPair& pair : windows.pairs().subspan(range.begin, range.end - range.begin)) {
    ids.insert(ids.end(), (pair.*half).begin(), (pair.*half).end());
  }
  return id_tensor(ids, static_cast<std::int64_t>(range.end - range.begin), options);
}

at::Tensor joined_features(const Windows& windows, WindowRange range, at::IntArrayRef shape,
                           const ComputeOptions& options) {
  std::vector<at::Tensor> sounds;
  for (const TokenPair& pair : windows.pairs().subspan(range.begin, range.end - range.begin)) {
    sounds.push_back(numbers_of(pair.features, shape));
  }
  return to_compute(at::stack(sounds), options);
}

InputBatch pair_input(const Transformer& model, const Windows& windows, WindowRange range) {
  const ComputeOptions& options = model.options();
  const at::Tensor targets = joined_ids(windows, range, &TokenPair::target, options);
  const at::Tensor first = at::full({targets.size(0), 1}, model.decoder_start(), targets.options());
  InputBatch result{{}, at::cat({first, targets.slice(1, 0, targets.size(1) - 1)}, 1), {}, {}};
  if (windows.pairs()[range.begin].features.empty()) {
    result.ids = joined_ids(windows, range, &TokenPair::source, options);
  } else {
    result.features = joined_features(windows, range, model.sound_shape(), options);
  }
  return result;
}

at::Tensor image_tensor(const Windows& windows, std::size_t begin, std::size_t end,
                        const ComputeOptions& options) {
  const auto [channels, height, width] = windows.images().shape();
  std::vector<at::Tensor> images;
  for (std::size_t w = begin; w < end; ++w) {
    const std::vector<float> pixels = windows.images().pixels(windows.image(w));
    images.push_back(numbers_of(pixels, {channels, height, width}));
  }
  return to_compute(at::stack(images), options);
}

}  // namespace

at::Tensor id_tensor(std::span<const std::int32_t> ids, std::int64_t batch,
                     const ComputeOptions& options) {
  const at::Tensor tensor = at::empty({batch, std::ssize(ids) / batch}, at::kLong);
  std::copy(ids.begin(), ids.end(), tensor.data_ptr<std::int64_t>());
  return to_device(tensor, options);
}

InputBatch input_batch(const Transformer& model, const Windows& windows, std::size_t begin,
                       std::size_t end) {
  switch (windows.kind()) {
    case WindowKind::kPairs:
      return pair_input(model, windows, {begin, end});
    case WindowKind::kTexts:
      return {joined_ids(windows, {begin, end}, &TokenPair::source, model.options()), {}, {}, {}};
    case WindowKind::kImages:
      return {{}, {}, image_tensor(windows, begin, end, model.options()), {}};
    default: {
      const at::Tensor ids = window_tensor(windows, begin, end, model.options());
      return {ids.slice(1, 0, windows.context()), {}, {}, {}};
    }
  }
}

InputBatch input_batch(const Transformer& model, const ForwardInput& input) {
  const ComputeOptions& options = model.options();
  const auto ids = [&](const std::vector<std::int32_t>& values) {
    return values.empty() ? at::Tensor() : id_tensor(values, 1, options);
  };
  InputBatch result{ids(input.ids), ids(input.decoder_ids), {}, {}};
  const auto numbers = [&](const std::vector<float>& values,
                           const std::vector<std::int64_t>& shape) {
    return to_compute(numbers_of(values, shape).unsqueeze(0), options);
  };
  if (!input.pixels.empty()) result.pixels = numbers(input.pixels, model.image_shape());
  if (!input.features.empty()) result.features = numbers(input.features, model.sound_shape());
  return result;
}

at::Tensor batch_targets(const Transformer& model, const Windows& windows, std::size_t begin,
                         std::size_t end) {
  if (windows.kind() == WindowKind::kTokens) {
    return window_tensor(windows, begin, end, model.options()).slice(1, 1).flatten();
  }
  if (windows.differ_in_length()) {
    return joined_ids(windows, {begin, end}, &TokenPair::target, model.options()).flatten();
  }
  std::vector<std::int32_t> labels;
  for (std::size_t w = begin; w < end; ++w) {
    labels.push_back(windows.images().label(windows.image(w)));
  }
  return id_tensor(labels, 1, model.options()).flatten();
}

}  // namespace regroup::models
