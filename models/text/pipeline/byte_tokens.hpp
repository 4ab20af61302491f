#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/text/pipeline/vocabulary.hpp"

namespace regroup::models {

/// The token that stands for a byte where a character has none: "<0x0A>".
std::string byte_token(unsigned char byte);
/// The byte that such a token stands for.
std::optional<char> byte_of_token(std::string_view token);

/// The ids of those tokens in a vocabulary.
class ByteTokens {
 public:
  ByteTokens() = default;
  explicit ByteTokens(const Vocabulary& vocabulary);
  /// Appends the ids of all bytes; false, and nothing is appended, if one of them has no token.
  bool append_ids(std::string_view bytes, std::vector<std::int32_t>& ids) const;

 private:
  std::array<std::optional<std::int32_t>, 256> ids_;
};

}  // namespace regroup::models
