#pragma once

#include <cstdint>
#include <optional>

#include "models/gguf/gguf_metadata.hpp"

namespace regroup::models {

/// Tokens that a tokenizer singles out; absent where it has none.
struct SpecialTokens {
  std::optional<std::int32_t> begin;
  std::optional<std::int32_t> end;
  std::optional<std::int32_t> unknown;
  std::optional<std::int32_t> padding;
  bool add_begin = false;  ///< before a text
  bool add_end = false;    ///< after it
};

/// Appends their ids, and which of them enclose a text.
void append_special_tokens(GgufMetadata& metadata, const SpecialTokens& tokens);

}  // namespace regroup::models
