#include "models/inputs/samples.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "search/error.hpp"

namespace regroup::models {

SampleKind sample_kind(ModelKind kind) {
  if (kind == ModelKind::kSequence) return SampleKind::kPairs;
  return kind == ModelKind::kImage ? SampleKind::kImages : SampleKind::kTokens;
}

Samples::Samples(int context, std::vector<std::int32_t> ids)
    : context_(context), ids_(std::move(ids)) {
  if (context < 1 || ids_.size() % stride() != 0) {
    throw WorkError({.what = "token ids are not whole windows",
                     .expected = fmt::format("a multiple of {}", stride()),
                     .found = std::to_string(ids_.size())});
  }
}

Samples Samples::of_stream(std::span<const std::int32_t> stream, int context,
                           std::size_t most_tokens, const std::string& where) {
  const auto step = static_cast<std::size_t>(context);
  std::size_t windows = stream.empty() ? 0 : (stream.size() - 1) / step;
  if (windows == 0) {
    throw InputError({.what = stream.empty() ? "text is empty" : "text is shorter than one window",
                      .where = where,
                      .expected = fmt::format("at least {} tokens", step + 1),
                      .found = fmt::format("{}", stream.size())});
  }
  if (most_tokens > 0) {
    if (most_tokens < step) {
      throw InputError({.what = "token limit is shorter than one window",
                        .where = where,
                        .expected = fmt::format("at least {}", step),
                        .found = fmt::format("{}", most_tokens)});
    }
    windows = std::min(windows, most_tokens / step);
  }
  std::vector<std::int32_t> ids;
  ids.reserve(windows * (step + 1));
  for (std::size_t w = 0; w < windows; ++w) {
    const auto window = stream.subspan(w * step, step + 1);
    ids.insert(ids.end(), window.begin(), window.end());
  }
  return {context, std::move(ids)};
}

Samples Samples::of_pairs(std::vector<TokenPair> pairs) {
  Samples samples;
  samples.kind_ = SampleKind::kPairs;
  for (const TokenPair& pair : pairs) {
    if (pair.source.empty() || pair.target.empty()) {
      throw WorkError({.what = "half of a pair of texts is empty"});
    }
    const auto longest = std::max(pair.source.size(), pair.target.size());
    samples.context_ = std::max(samples.context_, static_cast<int>(longest));
  }
  samples.pairs_ = std::move(pairs);
  return samples;
}

Samples Samples::of_images(std::shared_ptr<const ImageSet> images, std::size_t count,
                           int positions) {
  Samples samples;
  samples.kind_ = SampleKind::kImages;
  samples.context_ = positions;
  samples.images_ = std::move(images);
  samples.image_count_ = count;
  return samples;
}

Samples Samples::part(std::size_t from, std::size_t to) const {
  if (kind_ == SampleKind::kTokens) {
    const auto ids = std::span(ids_).subspan(from * stride(), (to - from) * stride());
    return {context_, {ids.begin(), ids.end()}};
  }
  if (kind_ == SampleKind::kPairs) {
    const auto some = std::span(pairs_).subspan(from, to - from);
    return of_pairs({some.begin(), some.end()});
  }
  Samples some = *this;
  some.first_image_ += from;
  some.image_count_ = to - from;
  return some;
}

std::size_t Samples::size() const {
  if (kind_ == SampleKind::kPairs) return pairs_.size();
  return kind_ == SampleKind::kImages ? image_count_ : ids_.size() / stride();
}

std::size_t Samples::tokens(std::size_t from, std::size_t to) const {
  if (kind_ == SampleKind::kImages) return to - from;
  if (kind_ == SampleKind::kTokens) return (to - from) * static_cast<std::size_t>(context_);
  std::size_t sum = 0;
  for (const TokenPair& pair : std::span(pairs_).subspan(from, to - from)) {
    sum += pair.target.size();
  }
  return sum;
}

std::string Samples::size_text() const {
  if (kind_ == SampleKind::kImages) return fmt::format("{} images", size());
  if (kind_ == SampleKind::kPairs) {
    return fmt::format("{} tokens of {} targets", tokens(), size());
  }
  return fmt::format("{} tokens, {} windows of {}", tokens(), size(), context_);
}

bool Samples::operator==(const Samples& other) const {
  return kind_ == other.kind_ && context_ == other.context_ && ids_ == other.ids_ &&
         pairs_ == other.pairs_ && image_count_ == other.image_count_ &&
         first_image_ == other.first_image_;
}

}  // namespace regroup::models
