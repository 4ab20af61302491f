#include "models/text/pipeline/normalizer.hpp"

#include <array>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "models/files/json_fields.hpp"
#include "models/text/pipeline/base64.hpp"
#include "models/text/pipeline/byte_alphabet.hpp"
#include "models/text/pipeline/character_map.hpp"
#include "models/text/pipeline/pattern.hpp"
#include "models/text/pipeline/unicode.hpp"
#include "models/text/pipeline/unsupported.hpp"

namespace regroup::models {
namespace {

using nlohmann::json;

std::optional<NormalForm> form_named(std::string_view name) {
  struct Named {
    std::string_view name;
    NormalForm form;
  };
  constexpr std::array kForms = {Named{"NFC", NormalForm::kNfc}, Named{"NFD", NormalForm::kNfd},
                                 Named{"NFKC", NormalForm::kNfkc},
                                 Named{"NFKD", NormalForm::kNfkd}};
  for (const Named& known : kForms) {
    if (known.name == name) return known.form;
  }
  return std::nullopt;
}

BertNormalizer read_bert_normalizer(const json& node, const std::string& where) {
  BertNormalizer bert;
  bert.clean = optional_bool(node, "clean_text", where).value_or(true);
  bert.separate_ideographs = optional_bool(node, "handle_chinese_chars", where).value_or(true);
  bert.lower = optional_bool(node, "lowercase", where).value_or(true);
  bert.strip_accents = optional_bool(node, "strip_accents", where).value_or(bert.lower);
  return bert;
}

std::string without_marks(std::string_view text) {
  std::string bare;
  bare.reserve(text.size());
  while (!text.empty()) {
    const char32_t character = take_character(text);
    if (!is_combining_mark(character)) append_character(bare, character);
  }
  return bare;
}

/// SentencePiece's "nmt" rules, as Hugging Face's library has them: some controls are dropped, all
/// kinds of blanks become a blank.
std::string nmt_normalized(std::string_view text) {
  const auto is_dropped = [](char32_t c) {
    return (c >= 0x01 && c <= 0x08) || c == 0x0b || (c >= 0x0e && c <= 0x1f) || c == 0x7f ||
           c == 0x8f || c == 0x9f;
  };
  const auto is_blank = [](char32_t c) {
    return c == 0x09 || c == 0x0a || c == 0x0c || c == 0x0d || c == 0x1680 ||
           (c >= 0x200b && c <= 0x200f) || c == 0x2028 || c == 0x2029 || c == 0x2581 ||
           c == 0xfeff || c == 0xfffd;
  };
  std::string result;
  while (!text.empty()) {
    const char32_t character = take_character(text);
    if (!is_dropped(character)) append_character(result, is_blank(character) ? U' ' : character);
  }
  return result;
}

Normalizer::Step read_strip(const json& node, const std::string& where) {
  const bool left = optional_bool(node, "strip_left", where).value_or(false);
  const bool right = optional_bool(node, "strip_right", where).value_or(false);
  return [left, right](std::string_view text) {
    if (left) text.remove_prefix(space_after(text));
    if (right) text = text.substr(0, space_before(text));
    return std::string(text);
  };
}

Normalizer::Step read_prepend(const json& node, const std::string& where) {
  return [prefix = required_string(node, "prepend", where)](std::string_view text) {
    return text.empty() ? std::string() : prefix + std::string(text);
  };
}

Normalizer::Step read_replace(const json& node, const std::string& where) {
  const auto regex = std::make_shared<const Regex>(read_pattern(node, where));
  return [regex, content = required_string(node, "content", where)](std::string_view text) {
    return replaced(text, *regex, content);
  };
}

Normalizer::Step read_precompiled(const json& node, const std::string& where) {
  const std::string field = field_of(where, "precompiled_charsmap");
  const auto map = std::make_shared<const CharacterMap>(
      from_base64(optional_string(node, "precompiled_charsmap", where).value_or(""), field), field);
  return [map](std::string_view text) { return map->mapped_clusters(text); };
}

/// One step that is no Sequence.
Normalizer::Step read_step(const std::string& type, const json& node, const std::string& where) {
  if (const auto form = form_named(type)) {
    return [form](std::string_view text) { return normal_form(text, *form); };
  }
  if (type == "Lowercase") return lower_case;
  if (type == "Strip") return read_strip(node, where);
  if (type == "StripAccents") return without_marks;
  if (type == "Prepend") return read_prepend(node, where);
  if (type == "Replace") return read_replace(node, where);
  if (type == "Precompiled") return read_precompiled(node, where);
  if (type == "Nmt") return nmt_normalized;
  if (type == "ByteLevel") return in_byte_alphabet;
  if (type == "BertNormalizer") return read_bert_normalizer(node, where);
  refuse_tokenizer("normalizer of the tokenizer is not supported", where,
                   "NFC, NFD, NFKC, NFKD, Lowercase, Strip, StripAccents, Prepend, Replace, "
                   "Precompiled, Nmt, ByteLevel, BertNormalizer, Sequence",
                   type);
}

void add_steps(Normalizer& normalizer, const json& node, const std::string& where) {
  const std::string type = required_string(node, "type", where);
  if (type != "Sequence") return normalizer.add(read_step(type, node, where));
  for (const json& child : required_array(node, "normalizers", where)) {
    add_steps(normalizer, child, where);
  }
}

}  // namespace

std::string Normalizer::operator()(std::string_view text) const {
  if (steps_.empty()) return std::string(text);
  std::string result = steps_.front()(text);
  for (std::size_t i = 1; i < steps_.size(); ++i) result = steps_[i](result);
  return result;
}

Normalizer read_normalizer(const json& node, const std::string& where) {
  Normalizer normalizer;
  if (!node.is_null()) add_steps(normalizer, node, where);
  return normalizer;
}

}  // namespace regroup::models
