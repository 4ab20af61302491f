#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

namespace regroup::models {

/// Turns one word into token ids: the model proper of a tokenizer. Immutable and thread-safe.
class WordModel {
 public:
  virtual ~WordModel() = default;
  /// Appends the ids of a word, which is not empty.
  virtual void append_ids(std::string_view word, std::vector<std::int32_t>& ids) const = 0;

  using OnPart = std::function<void(std::string_view)>;
  /// Cuts a word, which is not empty, where no token can lie across: the ids of the parts, one
  /// after another, are those of the word. A model that knows no such place leaves it whole.
  virtual void for_each_part(std::string_view word, const OnPart& on_part) const { on_part(word); }
};

}  // namespace regroup::models
