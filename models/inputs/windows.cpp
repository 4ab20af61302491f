#include "models/inputs/windows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "models/images/image_set.hpp"
#include "search/base/error.hpp"

namespace regroup::models {

WindowKind window_kind(ModelKind kind) {
  if (has_decoder(kind)) return WindowKind::kPairs;
  if (kind == ModelKind::kText) return WindowKind::kTexts;
  return kind == ModelKind::kImage ? WindowKind::kImages : WindowKind::kTokens;
}

Windows::Windows(int context, std::vector<std::int32_t> ids)
    : context_(context), ids_(std::move(ids)) {
  if (context < 1 || ids_.size() % stride() != 0) {
    throw WorkError({.what = "token ids are not whole windows",
                     .expected = fmt::format("a multiple of {}", stride()),
                     .found = std::to_string(ids_.size())});
  }
}

Windows Windows::of_stream(std::span<const std::int32_t> stream, int context,
                           const std::string& where) {
  const auto step = static_cast<std::size_t>(context);
  const std::size_t windows = stream.empty() ? 0 : (stream.size() - 1) / step;
  if (windows == 0) {
    throw InputError({.what = stream.empty() ? "text is empty" : "text is shorter than one window",
                      .where = where,
                      .expected = fmt::format("at least {} tokens", step + 1),
                      .found = fmt::format("{}", stream.size())});
  }
  std::vector<std::int32_t> ids;
  ids.reserve(windows * (step + 1));
  for (std::size_t w = 0; w < windows; ++w) {
    const auto window = stream.subspan(w * step, step + 1);
    ids.insert(ids.end(), window.begin(), window.end());
  }
  return {context, std::move(ids)};
}

Windows Windows::of_pairs(std::vector<TokenPair> pairs) {
  Windows windows;
  windows.kind_ = WindowKind::kPairs;
  for (const TokenPair& pair : pairs) {
    if ((pair.source.empty() && pair.features.empty()) || pair.target.empty()) {
      throw WorkError({.what = "half of a pair of texts is empty"});
    }
    const auto longest = std::max(pair.source.size(), pair.target.size());
    windows.context_ = std::max(windows.context_, static_cast<int>(longest));
  }
  windows.pairs_ = std::move(pairs);
  return windows;
}

Windows Windows::of_texts(std::vector<TokenPair> texts) {
  for (const TokenPair& text : texts) {
    if (text.target.size() != 1) throw WorkError({.what = "a text has not one class"});
  }
  Windows windows = of_pairs(std::move(texts));
  windows.kind_ = WindowKind::kTexts;
  return windows;
}

Windows Windows::of_images(std::shared_ptr<const ImageSet> images, int positions) {
  Windows windows;
  windows.kind_ = WindowKind::kImages;
  windows.context_ = positions;
  windows.images_ = std::move(images);
  windows.image_numbers_.resize(windows.images_->size());
  std::iota(windows.image_numbers_.begin(), windows.image_numbers_.end(), std::size_t{0});
  return windows;
}

Windows Windows::part(std::size_t from, std::size_t to) const {
  std::vector<std::size_t> windows(to - from);
  std::iota(windows.begin(), windows.end(), from);
  return chosen(windows);
}

Windows Windows::spread(std::size_t count) const {
  std::vector<std::size_t> windows(count);
  for (std::size_t k = 0; k < count; ++k) windows[k] = k * size() / count;
  return chosen(windows);
}

Windows Windows::chosen(std::span<const std::size_t> windows) const {
  if (differ_in_length()) {
    std::vector<TokenPair> pairs;
    for (const std::size_t w : windows) pairs.push_back(pairs_[w]);
    return kind_ == WindowKind::kTexts ? of_texts(std::move(pairs)) : of_pairs(std::move(pairs));
  }
  Windows some;
  some.kind_ = kind_;
  some.context_ = context_;
  some.images_ = images_;
  for (const std::size_t w : windows) {
    if (kind_ == WindowKind::kImages) {
      some.image_numbers_.push_back(image_numbers_[w]);
    } else {
      const auto ids = (*this)[w];
      some.ids_.insert(some.ids_.end(), ids.begin(), ids.end());
    }
  }
  return some;
}

Windows Windows::by_length() const {
  std::vector<std::size_t> order(size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (differ_in_length()) {
    std::ranges::stable_sort(order, {}, [&](std::size_t window) {
      return std::pair(pairs_[window].source.size(), pairs_[window].target.size());
    });
  }
  return chosen(order);
}

bool Windows::are_alike(std::size_t window, std::size_t other) const {
  if (!differ_in_length()) return true;
  return pairs_[window].source.size() == pairs_[other].source.size() &&
         pairs_[window].target.size() == pairs_[other].target.size();
}

std::size_t Windows::size() const {
  if (differ_in_length()) return pairs_.size();
  return kind_ == WindowKind::kImages ? image_numbers_.size() : ids_.size() / stride();
}

std::size_t Windows::tokens(std::size_t from, std::size_t to) const {
  if (kind_ == WindowKind::kImages) return to - from;
  if (kind_ == WindowKind::kTokens) return (to - from) * static_cast<std::size_t>(context_);
  std::size_t sum = 0;
  for (const TokenPair& pair : std::span(pairs_).subspan(from, to - from)) {
    sum += pair.target.size();
  }
  return sum;
}

std::size_t Windows::positions(std::size_t window) const {
  if (kind_ == WindowKind::kPairs) return pairs_[window].target.size();
  if (kind_ == WindowKind::kTexts) return pairs_[window].source.size();
  return static_cast<std::size_t>(context_);
}

std::string Windows::size_text() const {
  if (kind_ == WindowKind::kImages) return fmt::format("{} images", size());
  if (kind_ == WindowKind::kTexts) return fmt::format("{} texts", size());
  if (kind_ == WindowKind::kPairs) {
    return fmt::format("{} tokens of {} targets", tokens(), size());
  }
  return fmt::format("{} tokens, {} windows of {}", tokens(), size(), context_);
}

const char* Windows::unit() const {
  if (kind_ == WindowKind::kTexts) return "texts";
  return kind_ == WindowKind::kImages ? "images" : "tokens";
}

bool Windows::operator==(const Windows& other) const {
  if (kind_ != other.kind_ || context_ != other.context_ || size() != other.size()) return false;
  for (std::size_t w = 0; w < image_numbers_.size(); ++w) {
    const std::size_t a = image(w);
    const std::size_t b = other.image(w);
    if (images().label(a) != other.images().label(b)) return false;
    if (images().pixels(a) != other.images().pixels(b)) return false;
  }
  return ids_ == other.ids_ && pairs_ == other.pairs_;
}

}  // namespace regroup::models
