#include <array>
#include <nlohmann/json.hpp>
#include <string_view>

#include "models/files/json_fields.hpp"
#include "models/gguf/tokenizer_metadata.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

using nlohmann::json;

/// A way of cutting text that llama.cpp has a name for.
struct KnownPattern {
  std::string_view regex;  ///< of the Split before ByteLevel
  bool whole_words;
  std::string_view name;
};

// The expressions as they stand in the tokenizer.json of Llama 3 and of Qwen2.
constexpr std::string_view kLlama3 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kQwen2Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

constexpr std::array kPatterns = {KnownPattern{kLlama3, true, "llama-bpe"},
                                  KnownPattern{kLlama3, false, "smaug-bpe"},
                                  KnownPattern{kQwen2Pattern, false, "qwen2"}};

[[noreturn]] void refuse_pre_tokenizer(const std::string& where, const std::string& found) {
  throw InputError({.what = "llama.cpp would cut text otherwise than this tokenizer",
                    .where = where,
                    .expected = "a pre-tokenizer as that of GPT-2, SmolLM, Llama 3 or Qwen2; or "
                                "--no-tokenizer",
                    .found = found});
}

/// The steps, one or those of a sequence.
std::vector<const json*> steps_of(const json& node, const std::string& where) {
  if (required_string(node, "type", where) != "Sequence") return {&node};
  std::vector<const json*> steps;
  for (const json& step : required_array(node, "pretokenizers", where)) steps.push_back(&step);
  return steps;
}

/// Whether the last step, ByteLevel, cuts text as GPT-2 does.
bool cuts_words(const json& node, const std::string& where) {
  if (optional_bool(node, "add_prefix_space", where).value_or(true)) {
    refuse_pre_tokenizer(where, "a blank before the text");
  }
  return optional_bool(node, "use_regex", where).value_or(true);
}

std::string name_of_split(const json& split, bool whole_words, const std::string& where) {
  const json& pattern = required_object(split, "pattern", where);
  const std::string regex = optional_string(pattern, "Regex", where).value_or("");
  const bool isolated = required_string(split, "behavior", where) == "Isolated";
  for (const KnownPattern& known : kPatterns) {
    const bool same = known.regex == regex && known.whole_words == whole_words;
    if (isolated && same) return std::string(known.name);
  }
  refuse_pre_tokenizer(where, whole_words
                                  ? "Split by " + regex + ", words that are tokens left whole"
                                  : "Split by " + regex);
}

}  // namespace

std::string llama_cpp_pre_tokenizer(const json& pre_tokenizer, bool whole_words,
                                    const std::string& where) {
  const std::vector<const json*> steps = steps_of(pre_tokenizer, where);
  std::string types;
  for (const json* step : steps) types += " " + required_string(*step, "type", where);
  const bool ends_in_bytes = types.ends_with(" ByteLevel");
  const bool cuts = ends_in_bytes && cuts_words(*steps.back(), where);
  if (types == " ByteLevel" && cuts && !whole_words) return "gpt-2";
  if (types == " Digits ByteLevel" && cuts && !whole_words &&
      optional_bool(*steps[0], "individual_digits", where).value_or(false)) {
    return "smollm";
  }
  if (types == " Split ByteLevel" && !cuts) return name_of_split(*steps[0], whole_words, where);
  refuse_pre_tokenizer(where, types.empty() ? "none" : types.substr(1));
}

}  // namespace regroup::models
