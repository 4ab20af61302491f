#include "models/text/llama_cpp_patterns.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "models/files/json_fields.hpp"
#include "models/gguf/tokenizer_metadata.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

using nlohmann::json;

constexpr std::string_view kOneDigit = R"(\p{N})";
constexpr std::string_view kSomeDigits = R"(\p{N}+)";

[[noreturn]] void refuse_pre_tokenizer(const std::string& where, const std::string& found) {
  throw InputError({.what = "llama.cpp would cut text otherwise than this tokenizer",
                    .where = where,
                    .expected =
                        "a pre-tokenizer as that of GPT-2, SmolLM, Llama 3, Qwen2, Mistral's "
                        "Tekken, DeepSeek or GPT-4o; or --no-tokenizer",
                    .found = found});
}

/// What a pre-tokenizer does, step by step: the expressions that cut text.
struct Cuts {
  std::vector<std::string> expressions;
  bool drops_gaps = false;  ///< what lies between the matches of one of them is left out
};

class CutReader {
 public:
  explicit CutReader(const std::string& where) : where_(where) {}

  Cuts cuts(const json& node) && {
    add(node);
    if (!ends_) refuse_pre_tokenizer(where_, types_.empty() ? "none" : types_);
    return std::move(cuts_);
  }

 private:
  void add(const json& node) {
    const std::string type = required_string(node, "type", where_);
    if (type == "Sequence") {
      for (const json& step : required_array(node, "pretokenizers", where_)) add(step);
      return;
    }
    types_ += (types_.empty() ? "" : " ") + type;
    if (ends_) refuse_pre_tokenizer(where_, types_);
    if (type == "Split") {
      add_split(node);
    } else if (type == "Digits") {
      const bool each = optional_bool(node, "individual_digits", where_).value_or(false);
      cuts_.expressions.emplace_back(each ? kOneDigit : kSomeDigits);
    } else if (type == "ByteLevel") {
      add_byte_level(node);
    } else {
      refuse_pre_tokenizer(where_, types_);
    }
  }

  void add_split(const json& node) {
    const json& pattern = required_object(node, "pattern", where_);
    const auto expression = optional_string(pattern, "Regex", where_);
    if (!expression) refuse_pre_tokenizer(where_, "Split by a text");
    const std::string behavior = required_string(node, "behavior", where_);
    const bool invert = optional_bool(node, "invert", where_).value_or(false);
    const bool keeps_matches = behavior == "Removed" && invert;
    if (behavior != "Isolated" && !keeps_matches) {
      refuse_pre_tokenizer(where_, "Split with " + behavior);
    }
    cuts_.drops_gaps = cuts_.drops_gaps || keeps_matches;
    cuts_.expressions.push_back(canonical_expression(*expression));
  }

  /// The last step, which cuts text as GPT-2 does unless it says that it does not.
  void add_byte_level(const json& node) {
    if (optional_bool(node, "add_prefix_space", where_).value_or(true)) {
      refuse_pre_tokenizer(where_, "a blank before the text");
    }
    if (optional_bool(node, "use_regex", where_).value_or(true)) {
      cuts_.expressions.emplace_back(find_llama_cpp_pattern("gpt-2")->expressions[0]);
    }
    ends_ = true;
  }

  const std::string& where_;
  Cuts cuts_;
  std::string types_;
  bool ends_ = false;
};

/// Whether the pattern's expressions are these; those of digits one by one where none are joined.
bool cuts_alike(const LlamaCppPattern& pattern, const Cuts& cuts, bool joins_digits) {
  if (cuts.drops_gaps && !pattern.covers_text) return false;
  return std::equal(pattern.expressions.begin(), pattern.expressions.end(),
                    cuts.expressions.begin(), cuts.expressions.end(),
                    [&](std::string_view known, const std::string& own) {
                      const bool apart = pattern.keeps_digits && !joins_digits &&
                                         known == kSomeDigits && own == kOneDigit;
                      return apart || canonical_expression(known) == own;
                    });
}

}  // namespace

std::string llama_cpp_pre_tokenizer(const json& pre_tokenizer, const WordRules& rules,
                                    const std::string& where) {
  const Cuts cuts = CutReader(where).cuts(pre_tokenizer);
  for (const LlamaCppPattern& pattern : llama_cpp_patterns()) {
    if (pattern.whole_words == rules.whole_words && cuts_alike(pattern, cuts, rules.joins_digits)) {
      return std::string(pattern.name);
    }
  }
  std::string found;
  for (const std::string& expression : cuts.expressions) {
    found += (found.empty() ? "Split by " : ", then by ") + expression;
  }
  if (found.empty()) found = "text that is not cut";
  refuse_pre_tokenizer(where,
                       rules.whole_words ? found + ", words that are tokens left whole" : found);
}

}  // namespace regroup::models
