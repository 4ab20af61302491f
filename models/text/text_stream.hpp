#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "models/text/tokenizer.hpp"

namespace regroup::models {

/// The text of token ids as they arrive one after another, in whole characters: what `decode` gives
/// for all ids, less what it gives for those before, cut where characters end. Bytes that are no
/// character become U+FFFD. Keeps the tokenizer's reference. Not thread-safe.
///
/// An id takes the time of decoding the few ids since the last text, not all ids so far: but for
/// the first token of a text, decoders treat tokens one by one, so that decoding may begin anywhere
/// behind which there is text already.
class TextStream {
 public:
  /// `before`: ids whose text is there already, such as a prompt's.
  TextStream(const Tokenizer& tokenizer, std::span<const std::int32_t> before);

  /// Whole characters that the id completes, often none.
  std::string add(std::int32_t id);
  /// What is left at the end: characters that did not come to theirs, as U+FFFD.
  std::string finish() const;

 private:
  std::string text_from(std::size_t first) const;

  const Tokenizer& tokenizer_;
  std::vector<std::int32_t> ids_;  // those that are still looked at
  std::size_t given_ids_ = 0;      // of them, those whose text was given out, …
  std::size_t given_bytes_ = 0;    // … and how long that is
};

}  // namespace regroup::models
