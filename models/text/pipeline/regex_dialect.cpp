#include <fmt/format.h>

#include <optional>
#include <utility>

#include "models/text/pipeline/regex.hpp"
#include "models/text/pipeline/unsupported.hpp"

namespace regroup::models {
namespace {

// `\w` of Oniguruma: alphabetic, marks, decimal digits, connectors and six of Latin-1's numbers.
#define REGROUP_WORD R"(\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\x{b2}\x{b3}\x{b9}\x{bc}-\x{be})"
constexpr std::string_view kWord = REGROUP_WORD;
constexpr std::string_view kWordClass = "[" REGROUP_WORD "]";
constexpr std::string_view kNoWordClass = "[^" REGROUP_WORD "]";
constexpr std::string_view kBoundary = "(?:(?<=[" REGROUP_WORD "])(?![" REGROUP_WORD
                                       "])|(?<![" REGROUP_WORD "])(?=[" REGROUP_WORD "]))";
#undef REGROUP_WORD

/// Reads an expression from left to right and writes it in the other syntax.
class Translator {
 public:
  Translator(std::string_view expression, const std::string& where)
      : expression_(expression), where_(where) {}

  std::string translated() {
    while (at_ < expression_.size()) {
      if (expression_[at_] == '\\') {
        translate_escape();
      } else {
        translate_character(expression_[at_]);
      }
    }
    return std::move(result_);
  }

 private:
  [[noreturn]] void refuse(const std::string& found) const {
    refuse_tokenizer("regular expression of the tokenizer is not supported", where_,
                     "Unicode properties, \\s, \\w, \\d, plain classes and look-around", found);
  }

  bool follows(char c) const { return at_ + 1 < expression_.size() && expression_[at_ + 1] == c; }

  void translate_escape() {
    const char escaped = at_ + 1 < expression_.size() ? expression_[at_ + 1] : '\0';
    const bool letter = (escaped >= 'a' && escaped <= 'z') || (escaped >= 'A' && escaped <= 'Z');
    const bool digit = escaped >= '0' && escaped <= '9';
    if (const auto translated = translation(escaped)) {
      result_ += *translated;
    } else if ((letter || digit) &&
               std::string_view("pPdDrntxAzZ").find(escaped) == std::string_view::npos) {
      refuse(fmt::format("\\{} in {}", escaped, expression_));
    } else {
      result_ += expression_.substr(at_, 2);
    }
    at_ += 2;
    const bool named = escaped == 'p' || escaped == 'P' || escaped == 'x';
    if (named && at_ < expression_.size() && expression_[at_] == '{') copy_braces();
  }

  /// What stands for an escape that PCRE2 reads otherwise. Not all can stand within a class.
  std::optional<std::string_view> translation(char escaped) const {
    switch (escaped) {
      case 's':
        return "\\p{White_Space}";
      case 'S':
        return "\\P{White_Space}";
      case 'w':
        return in_class_ ? kWord : kWordClass;
      case 'W':
        return in_class_ ? std::nullopt : std::optional(kNoWordClass);
      case 'h':
        return in_class_ ? std::string_view("0-9A-Fa-f") : std::string_view("[0-9A-Fa-f]");
      case 'b':
        return in_class_ ? std::nullopt : std::optional(kBoundary);
      default:
        return std::nullopt;
    }
  }

  void copy_braces() {
    const std::size_t end = expression_.find('}', at_);
    if (end == std::string_view::npos) refuse(std::string(expression_));
    result_ += expression_.substr(at_, end + 1 - at_);
    at_ = end + 1;
  }

  void translate_character(char c) {
    if (in_class_ && (c == '[' || (c == '&' && follows('&')))) {
      refuse(fmt::format("a class within a class in {}", expression_));
    }
    if (!in_class_ && c == '}' && follows('+')) {
      refuse(fmt::format("}}+ in {}", expression_));
    }
    result_ += c;
    ++at_;
    if (c == '[') {
      in_class_ = true;
      // A bracket that closes right after the opening one stands for itself.
      for (const char first : {'^', ']'}) {
        if (at_ < expression_.size() && expression_[at_] == first) result_ += expression_[at_++];
      }
    } else if (c == ']') {
      in_class_ = false;
    }
  }

  std::string_view expression_;
  const std::string& where_;
  std::string result_;
  std::size_t at_ = 0;
  bool in_class_ = false;
};

}  // namespace

std::string pcre2_from_oniguruma(std::string_view expression, const std::string& where) {
  return Translator(expression, where).translated();
}

}  // namespace regroup::models
