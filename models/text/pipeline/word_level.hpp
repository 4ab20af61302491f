#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/text/pipeline/vocabulary.hpp"
#include "models/text/pipeline/word_model.hpp"

namespace regroup::models {

/// Every word is a token, or unknown.
class WordLevel : public WordModel {
 public:
  /// A word without a token is `unknown`; none: it is left out.
  WordLevel(Vocabulary vocabulary, const std::string& unknown)
      : vocabulary_(std::move(vocabulary)), unknown_(vocabulary_.find(unknown)) {}
  void append_ids(std::string_view word, std::vector<std::int32_t>& ids) const override {
    const auto id = vocabulary_.find(word);
    if (id || unknown_) ids.push_back(id ? *id : *unknown_);
  }

 private:
  Vocabulary vocabulary_;
  std::optional<std::int32_t> unknown_;
};

}  // namespace regroup::models
