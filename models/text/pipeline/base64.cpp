#include "models/text/pipeline/base64.hpp"

#include <cstdint>

#include "models/files/printable.hpp"
#include "search/base/error.hpp"

namespace regroup::models {

std::string from_base64(std::string_view text, const std::string& where) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  constexpr unsigned kBitsOfDigit = 6;
  constexpr unsigned kBitsOfByte = 8;
  const auto refuse = [&] {
    throw InputError({.what = "bytes are not written in base 64",
                      .where = where,
                      .expected = "letters, digits, + and /, four for three bytes",
                      .found = printable(text)});
  };
  std::string_view digits = text;
  while (text.size() % 4 == 0 && text.size() - digits.size() < 2 && digits.ends_with('=')) {
    digits.remove_suffix(1);
  }
  if (text.size() % 4 != 0) refuse();
  std::string bytes;
  bytes.reserve(3 * text.size() / 4);
  std::uint32_t value = 0;
  unsigned bits = 0;
  for (const char digit : digits) {
    const std::size_t place = kDigits.find(digit);
    if (place == kDigits.npos) refuse();
    value = (value << kBitsOfDigit | static_cast<std::uint32_t>(place)) & 0xffffU;
    bits += kBitsOfDigit;
    if (bits < kBitsOfByte) continue;
    bits -= kBitsOfByte;
    bytes += static_cast<char>((value >> bits) & 0xffU);
  }
  return bytes;
}

}  // namespace regroup::models
