#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace regroup::models {

/// Turns one word into token ids: the model proper of a tokenizer. Immutable and thread-safe.
class WordModel {
 public:
  virtual ~WordModel() = default;
  /// Appends the ids of a word, which is not empty.
  virtual void append_ids(std::string_view word, std::vector<std::int32_t>& ids) const = 0;
};

}  // namespace regroup::models
