#include "models/text/pipeline/character_map.hpp"

#include <span>

#include "models/files/little_endian.hpp"
#include "models/text/pipeline/unicode.hpp"
#include "models/text/pipeline/utf8.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

// A unit of Darts-clone's double array.
bool has_leaf(std::uint32_t unit) {
  return ((unit >> 8U) & 1U) != 0;
}
std::uint32_t value_of(std::uint32_t unit) {
  return unit & 0x7fffffffU;
}
std::uint32_t label_of(std::uint32_t unit) {
  return unit & 0x800000ffU;
}
std::uint32_t offset_of(std::uint32_t unit) {
  return (unit >> 10U) << ((unit & (1U << 9U)) >> 6U);
}

std::uint32_t read_unit(std::string_view bytes) {
  return static_cast<std::uint32_t>(
      read_little_endian(std::as_bytes(std::span(bytes.data(), sizeof(std::uint32_t)))));
}

[[noreturn]] void refuse_map(const std::string& where) {
  throw InputError({.what = "character map of the tokenizer is broken",
                    .where = where,
                    .expected = "a precompiled_charsmap of SentencePiece"});
}

}  // namespace

CharacterMap::CharacterMap(std::string_view bytes, const std::string& where) {
  constexpr std::size_t kUnit = sizeof(std::uint32_t);
  if (bytes.empty()) return;
  if (bytes.size() < kUnit) refuse_map(where);
  const std::size_t size = read_unit(bytes);
  bytes.remove_prefix(kUnit);
  if (size == 0 || size % kUnit != 0 || size > bytes.size()) refuse_map(where);
  for (std::size_t at = 0; at < size; at += kUnit) units_.push_back(read_unit(bytes.substr(at)));
  replacements_ = bytes.substr(size);
  if (replacements_.empty() || replacements_.back() != '\0') replacements_ += '\0';
  // What is put into a text must leave it valid.
  if (first_invalid_utf8(replacements_)) refuse_map(where);
}

template <class Visit>
void CharacterMap::for_each_match(std::string_view text, const Visit& visit) const {
  if (units_.empty()) return;
  std::size_t node = offset_of(units_[0]);
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    node ^= byte;
    if (node >= units_.size() || label_of(units_[node]) != byte) return;
    const std::uint32_t unit = units_[node];
    node ^= offset_of(unit);
    if (!has_leaf(unit)) continue;
    if (node >= units_.size()) return;
    const std::size_t value = value_of(units_[node]);
    // A broken map must not cut a character apart.
    if (value >= replacements_.size() || (replacements_[value] & 0xc0) == 0x80) return;
    if (!visit(Match{at + 1, replacements_.c_str() + value})) return;
  }
}

std::optional<CharacterMap::Match> CharacterMap::longest(std::string_view text) const {
  std::optional<Match> found;
  for_each_match(text, [&](const Match& match) {
    found = match;
    return true;
  });
  return found;
}

std::optional<CharacterMap::Match> CharacterMap::shortest(std::string_view text) const {
  std::optional<Match> found;
  for_each_match(text, [&](const Match& match) {
    found = match;
    return false;
  });
  return found;
}

void CharacterMap::append_mapped(std::string_view part, std::string& result) const {
  const auto match = shortest(part);
  result.append(match ? match->replacement : part);
}

std::string CharacterMap::mapped_clusters(std::string_view text) const {
  constexpr std::size_t kLongestCluster = 5;
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    std::string_view cluster = text.substr(0, grapheme_length(text));
    text.remove_prefix(cluster.size());
    if (const auto whole = shortest(cluster); whole && cluster.size() <= kLongestCluster) {
      result.append(whole->replacement);
      continue;
    }
    while (!cluster.empty()) {
      const std::size_t before = cluster.size();
      const char* begin = cluster.data();
      take_character(cluster);
      append_mapped({begin, before - cluster.size()}, result);
    }
  }
  return result;
}

}  // namespace regroup::models
