#include "models/text/pipeline/byte_alphabet.hpp"

#include <unordered_map>

#include "models/text/pipeline/unicode.hpp"

namespace regroup::models {
namespace {

std::array<std::string, 256> make_byte_alphabet() {
  std::array<std::string, 256> alphabet;
  char32_t next = 0x100;
  for (char32_t byte = 0; byte < alphabet.size(); ++byte) {
    const bool printable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte != 0xad);
    append_character(alphabet[byte], printable ? byte : next++);
  }
  return alphabet;
}

std::unordered_map<char32_t, char> make_bytes_of_characters() {
  std::unordered_map<char32_t, char> bytes;
  for (std::size_t byte = 0; byte < byte_alphabet().size(); ++byte) {
    std::string_view character = byte_alphabet()[byte];
    bytes[take_character(character)] = static_cast<char>(byte);
  }
  return bytes;
}

}  // namespace

const std::array<std::string, 256>& byte_alphabet() {
  static const std::array<std::string, 256> alphabet = make_byte_alphabet();
  return alphabet;
}

std::string in_byte_alphabet(std::string_view bytes) {
  std::string text;
  text.reserve(2 * bytes.size());
  for (const char byte : bytes) text += byte_alphabet()[static_cast<unsigned char>(byte)];
  return text;
}

std::optional<std::string> from_byte_alphabet(std::string_view text) {
  static const std::unordered_map<char32_t, char> kBytes = make_bytes_of_characters();
  std::string bytes;
  while (!text.empty()) {
    const auto found = kBytes.find(take_character(text));
    if (found == kBytes.end()) return std::nullopt;
    bytes += found->second;
  }
  return bytes;
}

}  // namespace regroup::models
