#include "models/calibration/stored_windows.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <cstring>
#include <limits>
#include <numeric>
#include <utility>

#include "models/images/image_set.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

/// Images that a file holds.
class StoredImages : public ImageSet {
 public:
  StoredImages(std::array<int, 3> shape, std::vector<float> pixels,
               std::vector<std::int32_t> labels)
      : shape_(shape), pixels_(std::move(pixels)), labels_(std::move(labels)) {}

  std::size_t size() const override { return labels_.size(); }
  std::array<int, 3> shape() const override { return shape_; }
  int label(std::size_t image) const override { return labels_[image]; }
  std::vector<float> pixels(std::size_t image) const override {
    const std::size_t step = pixels_.size() / labels_.size();
    const auto own = std::span(pixels_).subspan(image * step, step);
    return {own.begin(), own.end()};
  }

 private:
  std::array<int, 3> shape_;
  std::vector<float> pixels_;
  std::vector<std::int32_t> labels_;
};

PlannedTensor planned_ids(std::string name, std::vector<std::int32_t> ids) {
  const auto count = std::ssize(ids);
  return {std::move(name), DType::kI32, {count}, [ids = std::move(ids)](std::span<std::byte> out) {
            std::memcpy(out.data(), ids.data(), out.size());
          }};
}

/// The features of all sounds, one after another.
PlannedTensor planned_features(std::span<const TokenPair> pairs) {
  const auto size = std::ssize(pairs.front().features);
  return {
      "source_features", DType::kF32, {std::ssize(pairs), size}, [pairs](std::span<std::byte> out) {
        std::byte* next = out.data();
        for (const TokenPair& pair : pairs) {
          const std::size_t bytes = pair.features.size() * sizeof(float);
          std::memcpy(next, pair.features.data(), bytes);
          next += bytes;
        }
      }};
}

std::vector<PlannedTensor> planned_pairs(std::span<const TokenPair> pairs) {
  std::vector<PlannedTensor> tensors;
  const auto add = [&](const std::string& half, std::vector<std::int32_t> TokenPair::*member) {
    std::vector<std::int32_t> ids;
    std::vector<std::int32_t> lengths;
    for (const TokenPair& pair : pairs) {
      ids.insert(ids.end(), (pair.*member).begin(), (pair.*member).end());
      lengths.push_back(static_cast<std::int32_t>((pair.*member).size()));
    }
    tensors.push_back(planned_ids(half + "_ids", std::move(ids)));
    tensors.push_back(planned_ids(half + "_lengths", std::move(lengths)));
  };
  if (pairs.front().features.empty()) {
    add("source", &TokenPair::source);
  } else {
    tensors.push_back(planned_features(pairs));
  }
  add("target", &TokenPair::target);
  return tensors;
}

std::vector<PlannedTensor> planned_images(const Windows& windows) {
  const auto [channels, height, width] = windows.images().shape();
  const auto count = static_cast<std::int64_t>(windows.size());
  std::vector<std::int32_t> classes;
  for (std::size_t w = 0; w < windows.size(); ++w) {
    classes.push_back(windows.images().label(windows.image(w)));
  }
  std::vector<PlannedTensor> tensors;
  tensors.push_back({"pixel_values",
                     DType::kF32,
                     {count, channels, height, width},
                     [&windows](std::span<std::byte> out) {
                       for (std::size_t w = 0; w < windows.size(); ++w) {
                         const auto pixels = windows.images().pixels(windows.image(w));
                         const std::size_t bytes = pixels.size() * sizeof(float);
                         std::memcpy(out.data() + w * bytes, pixels.data(), bytes);
                       }
                     }});
  tensors.push_back(planned_ids("classes", std::move(classes)));
  return tensors;
}

/// Reads the windows of one file.
class SampleReader {
 public:
  SampleReader(const SafetensorsFile& file, const PretrainedModel& model)
      : file_(file), model_(model) {}

  Windows text() const {
    const TensorView& view = file_.tensor("ids");
    const int context = model_.config.context;
    const bool fits = view.dtype == DType::kI32 && view.shape.size() == 2 && view.shape[0] >= 1 &&
                      view.shape[1] >= 2 && view.shape[1] - 1 <= context;
    if (!fits) fail(view, fmt::format("I32 [windows, 2 to {}]", context + 1));
    return {static_cast<int>(view.shape[1] - 1), ids(view, model_.config.vocabulary)};
  }

  Windows pairs() const {
    std::vector<TokenPair> pairs(lengths("source_lengths").size());
    fill(pairs, "source", &TokenPair::source, model_.config.vocabulary);
    fill(pairs, "target", &TokenPair::target, model_.config.vocabulary);
    return Windows::of_pairs(std::move(pairs));
  }

  Windows classified_texts() const {
    std::vector<TokenPair> texts(lengths("source_lengths").size());
    fill(texts, "source", &TokenPair::source, model_.config.vocabulary);
    fill(texts, "target", &TokenPair::target, static_cast<int>(model_.config.labels.size()));
    const auto has_one = [](const TokenPair& text) { return text.target.size() == 1; };
    if (!std::ranges::all_of(texts, has_one)) {
      fail(file_.tensor("target_lengths"), fmt::format("I32 [{}], all 1", texts.size()));
    }
    return Windows::of_texts(std::move(texts));
  }

  Windows sounds() const {
    const TensorView& view = file_.tensor("source_features");
    const SpeechConfig& speech = model_.config.speech;
    const std::int64_t size = std::int64_t{speech.bands} * speech.frames;
    const bool fits = view.dtype == DType::kF32 && view.shape.size() == 2 && view.shape[0] >= 1 &&
                      view.shape[1] == size;
    if (!fits) fail(view, fmt::format("F32 [sounds, {}]", size));
    const std::vector<float> all = to_floats(view);
    std::vector<TokenPair> pairs(static_cast<std::size_t>(view.shape[0]));
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      const auto step = static_cast<std::size_t>(size);
      const auto own = std::span(all).subspan(i * step, step);
      pairs[i].features.assign(own.begin(), own.end());
    }
    fill(pairs, "target", &TokenPair::target, model_.config.vocabulary);
    return Windows::of_pairs(std::move(pairs));
  }

  Windows images() const {
    const TensorView& view = file_.tensor("pixel_values");
    const ImageConfig& image = model_.config.image;
    const bool fits = view.dtype == DType::kF32 && view.shape.size() == 4 && view.shape[0] >= 1 &&
                      view.shape[1] == image.channels && view.shape[2] == image.size &&
                      view.shape[3] == image.size;
    if (!fits) {
      fail(view, fmt::format("F32 [images, {}, {}, {}]", image.channels, image.size, image.size));
    }
    const TensorView& classes = file_.tensor("classes");
    const auto count = static_cast<std::size_t>(view.shape[0]);
    if (classes.dtype != DType::kI32 || classes.shape != std::vector{view.shape[0]}) {
      fail(classes, fmt::format("I32 [{}]", count));
    }
    // Without a head the model knows no classes, and the data's may be any.
    const int known = model_.config.has_head ? static_cast<int>(model_.config.labels.size())
                                             : std::numeric_limits<int>::max();
    auto labels = ids(classes, known);
    auto set = std::make_shared<const StoredImages>(
        std::array{image.channels, image.size, image.size}, to_floats(view), std::move(labels));
    return Windows::of_images(std::move(set), model_.config.context);
  }

 private:
  [[noreturn]] void fail(const TensorView& view, std::string expected) const {
    throw InputError({.what = "tensor does not hold windows of this model",
                      .where = view.where(),
                      .expected = std::move(expected),
                      .found = fmt::format("{} [{}]", safetensors_name(view.dtype),
                                           fmt::join(view.shape, ", "))});
  }

  /// Numbers from 0 to `end` − 1.
  std::vector<std::int32_t> ids(const TensorView& view, int end) const {
    std::vector<std::int32_t> ids(view.bytes.size() / sizeof(std::int32_t));
    std::memcpy(ids.data(), view.bytes.data(), view.bytes.size());
    for (const std::int32_t id : ids) {
      if (id >= 0 && id < end) continue;
      throw InputError({.what = "id is outside the model's own",
                        .where = view.where(),
                        .expected = fmt::format("0 to {}", end - 1),
                        .found = std::to_string(id)});
    }
    return ids;
  }

  std::vector<std::int32_t> lengths(const std::string& name) const {
    const TensorView& view = file_.tensor(name);
    if (view.dtype != DType::kI32 || view.shape.size() != 1 || view.shape[0] < 1) {
      fail(view, "I32 [pairs]");
    }
    return ids(view, model_.config.context + 1);
  }

  /// Ids from 0 to `end` − 1, of as many texts as there are pairs.
  void fill(std::vector<TokenPair>& pairs, const std::string& half,
            std::vector<std::int32_t> TokenPair::*member, int end) const {
    const std::vector<std::int32_t> lengths = this->lengths(half + "_lengths");
    const TensorView& view = file_.tensor(half + "_ids");
    const auto total = std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0});
    const bool has_empty = std::ranges::find(lengths, 0) != lengths.end();
    if (view.dtype != DType::kI32 || view.shape != std::vector{total} || has_empty ||
        lengths.size() != pairs.size()) {
      fail(view, fmt::format("I32 [{}], ids of {} texts that are not empty", total, pairs.size()));
    }
    const std::vector<std::int32_t> all = ids(view, end);
    auto next = all.begin();
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      (pairs[i].*member).assign(next, next + lengths[i]);
      next += lengths[i];
    }
  }

  const SafetensorsFile& file_;
  const PretrainedModel& model_;
};

}  // namespace

std::vector<PlannedTensor> planned_windows(const Windows& windows) {
  if (windows.differ_in_length()) return planned_pairs(windows.pairs());
  if (windows.kind() == WindowKind::kImages) return planned_images(windows);
  std::vector<PlannedTensor> tensors;
  tensors.push_back(planned_copy("ids", DType::kI32,
                                 {static_cast<std::int64_t>(windows.size()), windows.context() + 1},
                                 std::as_bytes(windows.ids())));
  return tensors;
}

Windows read_windows_of(const SafetensorsFile& file, const PretrainedModel& model) {
  const SampleReader reader(file, model);
  if (model.config.kind == ModelKind::kSequence) return reader.pairs();
  if (model.config.kind == ModelKind::kSpeech) return reader.sounds();
  if (model.config.kind == ModelKind::kText) return reader.classified_texts();
  return model.config.kind == ModelKind::kImage ? reader.images() : reader.text();
}

}  // namespace regroup::models
