#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "models/architecture/model_config.hpp"

namespace regroup::models {

class ImageSet;

/// Token ids of a source text and of its target, both without padding.
struct TokenPair {
  std::vector<std::int32_t> source;
  std::vector<std::int32_t> target;
  std::vector<float> features = {};  ///< of a sound, [bands · frames], in the place of a text

  bool operator==(const TokenPair&) const = default;
};

enum class WindowKind {
  kTokens,  ///< stretches of a text
  kPairs,   ///< of source and target
  kImages,
  kTexts,  ///< whole texts with a class each
};

/// The kind of windows that a model reads.
WindowKind window_kind(ModelKind kind);

/// What a model is run on, in windows that are measured one by one: stretches of a text, pairs of
/// source and target, images, or texts that have a class. A cheap handle on images, a copy of
/// everything else. Immutable.
///
/// A window of text has `context` inputs and their next tokens, that is context + 1 ids, of which
/// the first is never scored (METHODS §9).
class Windows {
 public:
  /// Windows of text laid one after another, (context + 1) ids each.
  Windows(int context, std::vector<std::int32_t> ids);
  /// Throws WorkError if a pair has an empty half.
  static Windows of_pairs(std::vector<TokenPair> pairs);
  /// Texts, each with its class as a target of one number. Throws WorkError for other targets and
  /// for an empty text.
  static Windows of_texts(std::vector<TokenPair> texts);
  /// `positions`: tokens that the model makes of an image.
  static Windows of_images(std::shared_ptr<const ImageSet> images, int positions);

  /// Cuts a stream of N ids into ⌊(N − 1)/context⌋ disjoint windows and leaves the rest out. Throws
  /// InputError, naming `where`, if the stream is shorter than one window.
  static Windows of_stream(std::span<const std::int32_t> stream, int context,
                           const std::string& where);

  /// Windows `from` … `to` − 1; from ≤ to ≤ size().
  Windows part(std::size_t from, std::size_t to) const;
  /// `count` windows spread evenly over these: numbers ⌊k · size() / count⌋; count ≤ size().
  Windows spread(std::size_t count) const;

  /// The windows of these numbers, in their order.
  Windows chosen(std::span<const std::size_t> windows) const;

  /// The same windows, those of the same lengths one after another, in their order otherwise.
  Windows by_length() const;

  WindowKind kind() const { return kind_; }
  /// Whether the windows are texts or sounds whose lengths are their own: not all of them fit into
  /// one batch.
  bool differ_in_length() const {
    return kind_ == WindowKind::kPairs || kind_ == WindowKind::kTexts;
  }
  /// Input positions of a window, where they differ of the longest.
  int context() const { return context_; }
  std::size_t size() const;
  /// Scored positions of all windows: tokens, tokens of targets, images, or texts.
  std::size_t tokens() const { return tokens(0, size()); }
  /// The same of windows `from` … `to` − 1.
  std::size_t tokens(std::size_t from, std::size_t to) const;
  /// What training counts of one window: its input positions, of a pair the tokens of its target.
  std::size_t positions(std::size_t window) const;
  /// "57600 tokens, 225 windows of 256", "812 tokens of 40 targets", "2000 images", for people.
  std::string size_text() const;
  /// What the scored positions are, in the plural, for people.
  const char* unit() const;

  /// Of a text: context + 1 ids.
  std::span<const std::int32_t> operator[](std::size_t window) const {
    return {ids_.data() + window * stride(), stride()};
  }
  /// Of a text: of all windows.
  std::span<const std::int32_t> ids() const { return ids_; }
  /// Of pairs and of texts with a class.
  std::span<const TokenPair> pairs() const { return pairs_; }
  /// Whether two windows are of the same lengths.
  bool are_alike(std::size_t window, std::size_t other) const;
  /// Of images: where they come from, and which of them is a window.
  const ImageSet& images() const { return *images_; }
  std::size_t image(std::size_t window) const { return image_numbers_[window]; }

  /// Whether both are the same windows; images are read, and compared by class and pixels.
  bool operator==(const Windows& other) const;

 private:
  Windows() = default;
  std::size_t stride() const { return static_cast<std::size_t>(context_) + 1; }

  WindowKind kind_ = WindowKind::kTokens;
  int context_ = 0;
  std::vector<std::int32_t> ids_;
  std::vector<TokenPair> pairs_;
  std::shared_ptr<const ImageSet> images_;
  std::vector<std::size_t> image_numbers_;
};

/// What one forward pass reads; what the model does not read stays empty.
struct ForwardInput {
  std::vector<std::int32_t> ids;
  std::vector<std::int32_t> decoder_ids;  ///< of an encoder-decoder, its first id included
  std::vector<float> pixels;              ///< [channels · height · width], normalised
  std::vector<float> features;            ///< of a sound, [bands · frames]
};

}  // namespace regroup::models
