#include "models/text/pipeline/pre_tokenizer.hpp"

#include <nlohmann/json.hpp>

#include "models/files/json_fields.hpp"
#include "models/text/pipeline/blank_parts.hpp"
#include "models/text/pipeline/byte_alphabet.hpp"
#include "models/text/pipeline/metaspace.hpp"
#include "models/text/pipeline/pattern.hpp"
#include "models/text/pipeline/split.hpp"
#include "models/text/pipeline/unicode.hpp"
#include "models/text/pipeline/unsupported.hpp"

namespace regroup::models {
namespace {

using nlohmann::json;

// Radford et al. 2019, as published with GPT-2.
constexpr std::string_view kGpt2 =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
// `\w` of Rust's expressions: alphabetic, marks, decimal digits, connectors, joiners.
constexpr std::string_view kRustWords =
    R"([\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\x{200c}\x{200d}]+|[^\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\x{200c}\x{200d}\p{White_Space}]+)";

PreTokenizer::Step prefix_step() {
  return [](const TextPart& part, const PreTokenizer::OnPart& on_part) {
    if (part.text.front() == ' ') return on_part(part);
    const std::string prefixed = " " + std::string(part.text);
    on_part({prefixed, part.begins_text});
  };
}

void add_byte_level(ByteAwarePreTokenizer& pre, bool prefix_blank, bool cuts_words) {
  if (prefix_blank) pre.steps.add(prefix_step());
  if (!cuts_words) return;
  pre.steps.add(
      split_step(stretches_of(oniguruma_regex(kGpt2, "GPT-2"), false), SplitBehavior::kIsolated));
}

PreTokenizer::Step alphabet_step() {
  return [](const TextPart& part, const PreTokenizer::OnPart& on_part) {
    const std::string written = in_byte_alphabet(part.text);
    on_part({written, part.begins_text});
  };
}

SplitBehavior behavior_of(const json& node, const char* usual, const std::string& where) {
  return split_behavior(optional_string(node, "behavior", where).value_or(usual), where);
}

PreTokenizer::Step read_split(const json& node, const std::string& where) {
  const bool invert = optional_bool(node, "invert", where).value_or(false);
  const SplitBehavior behavior = split_behavior(required_string(node, "behavior", where), where);
  return split_step(stretches_of(read_pattern(node, where), invert), behavior);
}

PreTokenizer::Step read_digits(const json& node, const std::string& where) {
  const bool each = optional_bool(node, "individual_digits", where).value_or(false);
  return split_step(stretches_of(oniguruma_regex(each ? R"(\p{N})" : R"(\p{N}+)", where), false),
                    SplitBehavior::kIsolated);
}

PreTokenizer::Step read_delimiter(const json& node, const std::string& where) {
  return split_step(
      stretches_of(Regex::literal(required_string(node, "delimiter", where), where), false),
      SplitBehavior::kRemoved);
}

void add_bert(ByteAwarePreTokenizer& pre) {
  pre.steps.add(split_step(stretches_of(is_white_space), SplitBehavior::kRemoved));
  pre.steps.add(split_step(stretches_of(is_punctuation), SplitBehavior::kIsolated));
}

/// A step that is neither ByteLevel nor Sequence.
void add_step(ByteAwarePreTokenizer& pre, const std::string& type, const json& node,
              const std::string& where) {
  if (type == "Split") return pre.steps.add(read_split(node, where));
  if (type == "Digits") return pre.steps.add(read_digits(node, where));
  if (type == "Metaspace") return add_metaspace(pre.steps, read_metaspace(node, where));
  if (type == "BertPreTokenizer") return add_bert(pre);
  if (type == "CharDelimiterSplit") return pre.steps.add(read_delimiter(node, where));
  if (type == "Punctuation") {
    return pre.steps.add(
        split_step(stretches_of(is_punctuation), behavior_of(node, "Isolated", where)));
  }
  if (type == "WhitespaceSplit") {
    return pre.steps.add(split_step(stretches_of(is_white_space), SplitBehavior::kRemoved));
  }
  if (type == "Whitespace") {
    return pre.steps.add(split_step(stretches_of(Regex::compiled(kRustWords, where), true),
                                    SplitBehavior::kRemoved));
  }
  refuse_tokenizer("pre-tokenizer of the tokenizer is not supported", where,
                   "ByteLevel, Metaspace, Split, Digits, Punctuation, Whitespace, WhitespaceSplit, "
                   "CharDelimiterSplit, BertPreTokenizer, Sequence",
                   type);
}

void add_steps(ByteAwarePreTokenizer& pre, const json& node, const std::string& where) {
  const std::string type = required_string(node, "type", where);
  if (type == "Sequence") {
    for (const json& child : required_array(node, "pretokenizers", where)) {
      add_steps(pre, child, where);
    }
    return;
  }
  if (pre.byte_level) pre.steps.add(alphabet_step());  // that of a ByteLevel before this one
  pre.byte_level = type == "ByteLevel";
  if (!pre.byte_level) return add_step(pre, type, node, where);
  add_byte_level(pre, optional_bool(node, "add_prefix_space", where).value_or(true),
                 optional_bool(node, "use_regex", where).value_or(true));
}

}  // namespace

void PreTokenizer::run(std::size_t step, const TextPart& part, const OnPart& on_word) const {
  if (step == steps_.size()) return on_word(part);
  // One pointer, so that the function needs no memory of its own.
  struct Next {
    const PreTokenizer& steps;
    std::size_t step;
    const OnPart& on_word;
  } const next{*this, step + 1, on_word};
  steps_[step](part, [&next](const TextPart& inner) {
    if (!inner.text.empty()) next.steps.run(next.step, inner, next.on_word);
  });
}

void PreTokenizer::for_each_word(const TextPart& text, const OnPart& on_word) const {
  run(0, text, on_word);
}

ByteAwarePreTokenizer gpt2_pre_tokenizer(bool prefix_blank) {
  ByteAwarePreTokenizer pre;
  pre.byte_level = true;
  add_byte_level(pre, prefix_blank, true);
  return pre;
}

ByteAwarePreTokenizer read_pre_tokenizer(const json& node, bool model_takes_bytes,
                                         const std::string& where) {
  ByteAwarePreTokenizer pre;
  if (node.is_null()) return pre;
  add_steps(pre, node, where);
  if (pre.byte_level && !model_takes_bytes) {
    pre.steps.add(alphabet_step());
    pre.byte_level = false;
  }
  return pre;
}

}  // namespace regroup::models
