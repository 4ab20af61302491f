#include "models/text/pipeline/pre_tokenizer.hpp"

#include <nlohmann/json.hpp>

#include "models/files/json_fields.hpp"
#include "models/text/pipeline/unsupported.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

// Radford et al. 2019, as published with GPT-2.
constexpr std::string_view kGpt2 =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
// Every ASCII character that is neither letter, digit, white space nor control, and category P.
constexpr std::string_view kBertPunctuation = R"([!-/:-@\[-`{-~\p{P}])";
constexpr const char* kUnsupported = "pre-tokenizer of the tokenizer is not supported";

void append_words(const Splitter& splitter, std::string_view text,
                  std::vector<std::string_view>& words) {
  std::size_t end_before = 0;
  const auto keep = [&](std::size_t begin, std::size_t end, bool wanted) {
    if (wanted && begin < end) words.push_back(text.substr(begin, end - begin));
  };
  splitter.regex.for_each_match(text, [&](std::size_t begin, std::size_t end) {
    keep(end_before, begin, splitter.keeps_gaps);
    keep(begin, end, splitter.keeps_matches);
    end_before = end;
  });
  keep(end_before, text.size(), splitter.keeps_gaps);
}

Regex expression(std::string_view oniguruma, const std::string& where) {
  return Regex::compiled(pcre2_from_oniguruma(oniguruma, where), where);
}

Regex read_pattern(const nlohmann::json& node, const std::string& where) {
  const nlohmann::json& pattern = required_object(node, "pattern", where);
  if (const auto text = optional_string(pattern, "String", where)) {
    return Regex::literal(*text, where);
  }
  return expression(required_string(pattern, "Regex", where), where);
}

Splitter read_split(const nlohmann::json& node, const std::string& where) {
  const std::string behavior = required_string(node, "behavior", where);
  const bool invert = optional_bool(node, "invert", where).value_or(false);
  if (behavior == "Isolated") return {read_pattern(node, where), true, true};
  if (behavior == "Removed") return {read_pattern(node, where), invert, !invert};
  refuse_tokenizer(kUnsupported, where, "Split with Isolated or Removed", "Split with " + behavior);
}

void add_byte_level(PreTokenizer& pre, const nlohmann::json& node, const std::string& where) {
  pre.byte_level = true;
  pre.prefix_blank = optional_bool(node, "add_prefix_space", where).value_or(true);
  if (pre.prefix_blank && !pre.splitters.empty()) {
    refuse_tokenizer(kUnsupported, where, "add_prefix_space without splitting before it",
                     "add_prefix_space after a Split");
  }
  if (optional_bool(node, "use_regex", where).value_or(true)) {
    pre.splitters.push_back({expression(kGpt2, where)});
  }
}

void add_steps(PreTokenizer& pre, const nlohmann::json& node, const std::string& where) {
  const std::string type = required_string(node, "type", where);
  if (type != "Sequence" && pre.byte_level) {
    refuse_tokenizer(kUnsupported, where, "nothing after ByteLevel", type + " after ByteLevel");
  }
  if (type == "ByteLevel") {
    add_byte_level(pre, node, where);
  } else if (type == "Split") {
    pre.splitters.push_back(read_split(node, where));
  } else if (type == "Digits") {
    const bool each = optional_bool(node, "individual_digits", where).value_or(false);
    pre.splitters.push_back({expression(each ? R"(\p{N})" : R"(\p{N}+)", where)});
  } else if (type == "BertPreTokenizer") {
    pre.splitters.push_back({expression(R"(\s+)", where), false, true});
    pre.splitters.push_back({expression(kBertPunctuation, where)});
  } else if (type == "Sequence") {
    for (const nlohmann::json& child : required_array(node, "pretokenizers", where)) {
      add_steps(pre, child, where);
    }
  } else {
    refuse_tokenizer(kUnsupported, where, "ByteLevel, BertPreTokenizer, Split, Digits, Sequence",
                     type);
  }
}

}  // namespace

std::vector<std::string_view> PreTokenizer::words(std::string_view text) const {
  std::vector<std::string_view> words;
  if (!text.empty()) words.push_back(text);
  for (const Splitter& splitter : splitters) {
    std::vector<std::string_view> parts;
    for (const std::string_view word : words) append_words(splitter, word, parts);
    words = std::move(parts);
  }
  return words;
}

PreTokenizer gpt2_pre_tokenizer(bool prefix_blank) {
  PreTokenizer pre;
  pre.byte_level = true;
  pre.prefix_blank = prefix_blank;
  pre.splitters.push_back({expression(kGpt2, "GPT-2")});
  return pre;
}

PreTokenizer read_pre_tokenizer(const nlohmann::json& node, const std::string& where) {
  if (node.is_null()) {
    refuse_tokenizer(kUnsupported, where, "a pre-tokenizer", "none");
  }
  PreTokenizer pre;
  add_steps(pre, node, where);
  return pre;
}

}  // namespace regroup::models
