#include "models/passes/input_batch.hpp"

#include <algorithm>

#include "models/images/image_set.hpp"
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

InputBatch pair_input(const TokenPair& pair, std::int32_t decoder_start,
                      at::IntArrayRef sound_shape, const ComputeOptions& options) {
  std::vector<std::int32_t> before = {decoder_start};
  before.insert(before.end(), pair.target.begin(), pair.target.end() - 1);
  InputBatch result{{}, id_tensor(before, 1, options), {}, {}};
  if (pair.features.empty()) {
    result.ids = id_tensor(pair.source, 1, options);
  } else {
    result.features = to_compute(numbers_of(pair.features, sound_shape).unsqueeze(0), options);
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
      return pair_input(windows.pairs()[begin], model.decoder_start(), model.sound_shape(),
                        model.options());
    case WindowKind::kTexts:
      return {id_tensor(windows.pairs()[begin].source, 1, model.options()), {}, {}, {}};
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
    return id_tensor(windows.pairs()[begin].target, 1, model.options()).flatten();
  }
  std::vector<std::int32_t> labels;
  for (std::size_t w = begin; w < end; ++w) {
    labels.push_back(windows.images().label(windows.image(w)));
  }
  return id_tensor(labels, 1, model.options()).flatten();
}

}  // namespace regroup::models
