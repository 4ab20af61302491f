#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace regroup::models {

/// Windows of token ids to score: every window has `context` inputs and their next tokens, that is
/// context + 1 ids, of which the first is never scored (METHODS §9).
class TokenWindows {
 public:
  /// Windows laid one after another, (context + 1) ids each.
  TokenWindows(int context, std::vector<std::int32_t> ids);

  /// Cuts a stream of N ids into ⌊(N − 1)/context⌋ disjoint windows and leaves the rest out; with
  /// `most_tokens` > 0 no more than that many tokens are scored. Throws InputError, naming `where`,
  /// if the stream is shorter than one window, or `most_tokens` is.
  static TokenWindows of_stream(std::span<const std::int32_t> stream, int context,
                                std::size_t most_tokens, const std::string& where);

  /// Windows `from` … `to` − 1; from ≤ to ≤ size().
  TokenWindows part(std::size_t from, std::size_t to) const;

  int context() const { return context_; }
  std::size_t size() const { return ids_.size() / stride(); }
  /// Tokens scored, over all windows.
  std::size_t tokens() const { return size() * static_cast<std::size_t>(context_); }
  /// context + 1 ids.
  std::span<const std::int32_t> operator[](std::size_t window) const {
    return {ids_.data() + window * stride(), stride()};
  }
  std::span<const std::int32_t> ids() const { return ids_; }

 private:
  std::size_t stride() const { return static_cast<std::size_t>(context_) + 1; }

  int context_;
  std::vector<std::int32_t> ids_;
};

}  // namespace regroup::models
