#include "models/text/pipeline/byte_tokens.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace regroup::models {
namespace {

std::optional<unsigned> hexadecimal(char digit) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  const std::size_t value = kDigits.find(digit);
  return value == kDigits.npos ? std::nullopt : std::optional(static_cast<unsigned>(value));
}

}  // namespace

std::string byte_token(unsigned char byte) {
  return fmt::format("<0x{:02X}>", byte);
}

std::optional<char> byte_of_token(std::string_view token) {
  constexpr std::size_t kLength = 6;
  if (token.size() != kLength || !token.starts_with("<0x") || token.back() != '>') {
    return std::nullopt;
  }
  const auto high = hexadecimal(token[3]);
  const auto low = hexadecimal(token[4]);
  if (!high || !low) return std::nullopt;
  return static_cast<char>(16 * *high + *low);
}

ByteTokens::ByteTokens(const Vocabulary& vocabulary) {
  for (std::size_t byte = 0; byte < ids_.size(); ++byte) {
    ids_[byte] = vocabulary.find(byte_token(static_cast<unsigned char>(byte)));
  }
}

bool ByteTokens::append_ids(std::string_view bytes, std::vector<std::int32_t>& ids) const {
  const auto has_id = [&](char byte) { return ids_[static_cast<unsigned char>(byte)].has_value(); };
  if (!std::all_of(bytes.begin(), bytes.end(), has_id)) return false;
  for (const char byte : bytes) ids.push_back(*ids_[static_cast<unsigned char>(byte)]);
  return true;
}

}  // namespace regroup::models
