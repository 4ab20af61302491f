#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "models/text/pipeline/word_model.hpp"

namespace regroup::models {

/// The ids of the words of one text: what a word gave once is not computed again. Takes a bounded
/// number of words, whatever the text. Keeps the model's reference. Not thread-safe.
class WordCache {
 public:
  explicit WordCache(const WordModel& model) : model_(model) {}
  /// As WordModel::append_ids, for the parts that the model knows.
  void append_ids(std::string_view word, std::vector<std::int32_t>& ids);

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  struct Range {
    std::size_t begin;
    std::size_t count;
  };
  void append_part(std::string_view part, std::vector<std::int32_t>& ids);

  const WordModel& model_;
  std::unordered_map<std::string, Range, Hash, std::equal_to<>> known_;
  std::vector<std::int32_t> known_ids_;
};

}  // namespace regroup::models
