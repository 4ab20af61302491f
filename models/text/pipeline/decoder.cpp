#include "models/text/pipeline/decoder.hpp"

#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "models/text/pipeline/byte_level_bpe.hpp"
#include "models/text/pipeline/unicode.hpp"

namespace regroup::models {
namespace {

std::unordered_map<char32_t, char> make_bytes_of_characters() {
  std::unordered_map<char32_t, char> bytes;
  for (std::size_t byte = 0; byte < byte_alphabet().size(); ++byte) {
    std::string_view character = byte_alphabet()[byte];
    bytes[take_character(character)] = static_cast<char>(byte);
  }
  return bytes;
}

/// The bytes that a token of a file stands for; one with another character is its own text.
std::string bytes_of(const std::string& token) {
  static const std::unordered_map<char32_t, char> kBytes = make_bytes_of_characters();
  std::string bytes;
  for (std::string_view rest = token; !rest.empty();) {
    const auto found = kBytes.find(take_character(rest));
    if (found == kBytes.end()) return token;
    bytes += found->second;
  }
  return bytes;
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

/// What Hugging Face's decoder does to every token, in this order.
void clean_up(std::string& text) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 11> kReplacements = {
      {{" .", "."},
       {" ?", "?"},
       {" !", "!"},
       {" ,", ","},
       {" ' ", "'"},
       {" n't", "n't"},
       {" 'm", "'m"},
       {" do not", " don't"},
       {" 's", "'s"},
       {" 've", "'ve"},
       {" 're", "'re"}}};
  for (const auto& [from, to] : kReplacements) replace_all(text, from, to);
}

}  // namespace

Decoder Decoder::of_bytes(const Vocabulary& vocabulary) {
  Decoder decoder;
  vocabulary.for_each(
      [&](const std::string& token, std::int32_t id) { decoder.tokens_[id] = bytes_of(token); });
  return decoder;
}

Decoder Decoder::of_pieces(const Vocabulary& vocabulary, std::string continuation, bool clean) {
  Decoder decoder;
  decoder.joins_pieces_ = true;
  decoder.continuation_ = std::move(continuation);
  decoder.clean_ = clean;
  vocabulary.for_each(
      [&](const std::string& token, std::int32_t id) { decoder.tokens_[id] = token; });
  return decoder;
}

std::string Decoder::piece(const std::string& token) const {
  if (token.starts_with(continuation_)) return token.substr(continuation_.size());
  return " " + token;
}

std::string Decoder::operator()(std::span<const std::int32_t> ids) const {
  std::string text;
  bool is_first = true;
  for (const std::int32_t id : ids) {
    const auto found = tokens_.find(id);
    if (found == tokens_.end()) continue;
    std::string part = joins_pieces_ && !is_first ? piece(found->second) : found->second;
    if (clean_) clean_up(part);
    text += part;
    is_first = false;
  }
  return text;
}

}  // namespace regroup::models
