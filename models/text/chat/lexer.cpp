#include "models/text/chat/lexer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "models/files/printable.hpp"
#include "search/base/error.hpp"

namespace regroup::models::chat {
namespace {

constexpr std::string_view kSpaces = " \t\n\r\f\v";

bool is_name_character(char c, bool first) {
  const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  return letter || (!first && c >= '0' && c <= '9');
}

std::string with_unix_lines(std::string_view source) {
  std::string text;
  for (std::size_t i = 0; i < source.size(); ++i) {
    const bool pair = source[i] == '\r' && i + 1 < source.size() && source[i + 1] == '\n';
    if (pair) continue;
    text += source[i] == '\r' ? '\n' : source[i];
  }
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(with_unix_lines(source)) {}

  std::vector<Token> tokens() {
    while (at_ < source_.size()) take_text();
    push(TokenKind::kEnd, "");
    return std::move(tokens_);
  }

 private:
  void push(TokenKind kind, std::string text) { tokens_.push_back({kind, std::move(text), line_}); }
  bool follows(std::string_view text) const {
    return std::string_view(source_).substr(at_).starts_with(text);
  }
  void skip(std::size_t bytes) {
    const std::string_view passed = std::string_view(source_).substr(at_, bytes);
    line_ += static_cast<int>(std::count(passed.begin(), passed.end(), '\n'));
    at_ += passed.size();
  }
  void skip_spaces() {
    const std::size_t end = source_.find_first_not_of(kSpaces, at_);
    skip(std::min(end, source_.size()) - at_);
  }

  std::size_t next_tag() const {
    std::size_t at = at_;
    while ((at = source_.find('{', at)) != source_.npos && at + 1 < source_.size()) {
      if (std::string_view("{%#").find(source_[at + 1]) != std::string_view::npos) return at;
      ++at;
    }
    return source_.size();
  }

  /// The text before a tag, and the tag.
  void take_text() {
    const std::size_t end = next_tag();
    std::string text = source_.substr(at_, end - at_);
    const bool is_tag = end < source_.size();
    const char kind = is_tag ? source_[end + 1] : '\0';
    const char sign = end + 2 < source_.size() ? source_[end + 2] : '\0';
    if (is_tag && sign == '-') {
      const std::size_t last = text.find_last_not_of(kSpaces);
      text.resize(last == text.npos ? 0 : last + 1);
    } else if (is_tag && sign != '+' && kind != '{') {
      strip_line_begin(text);
    }
    if (!text.empty()) push(TokenKind::kText, text);
    skip(end - at_);
    line_starts_ = false;
    if (!is_tag) return;
    skip(sign == '-' || sign == '+' ? 3 : 2);
    if (kind == '#') return take_comment();
    if (kind == '%' && take_raw()) return;
    take_tag(kind == '{');
  }

  /// Blanks between the beginning of a line and a tag.
  void strip_line_begin(std::string& text) const {
    const std::size_t line = text.rfind('\n') + 1;  // 0 where there is none
    if (line == 0 && !line_starts_) return;
    if (text.find_first_not_of(kSpaces, line) == text.npos) text.resize(line);
  }

  /// What stands behind a tag: with '-' all white space, else one line break.
  void end_tag(std::size_t length, char sign, bool trims) {
    skip(length);
    const std::size_t before = at_;
    if (sign == '-') {
      skip_spaces();
    } else if (trims && sign != '+' && follows("\n")) {
      skip(1);
    }
    line_starts_ = at_ > before && source_[at_ - 1] == '\n';
  }

  void take_comment() {
    const std::size_t end = source_.find("#}", at_);
    if (end == source_.npos) refuse_template(line_, "comment has no end", "#}", "none");
    const char sign = end > at_ ? source_[end - 1] : '\0';
    end_tag(end + 2 - at_, sign, true);
  }

  /// {% raw %} … {% endraw %}: text as it is.
  bool take_raw() {
    std::size_t name = source_.find_first_not_of(kSpaces, at_);
    if (name == source_.npos || !std::string_view(source_).substr(name).starts_with("raw")) {
      return false;
    }
    if (name + 3 < source_.size() && is_name_character(source_[name + 3], false)) return false;
    refuse_template(line_, "chat template is not supported", "no raw text", "{% raw %}");
  }

  void take_tag(bool prints) {
    push(prints ? TokenKind::kPrintBegin : TokenKind::kTagBegin, "");
    const std::string_view end = prints ? "}}" : "%}";
    int depth = 0;  // of braces: a dictionary's may end in "}}"
    while (true) {
      skip_spaces();
      if (at_ >= source_.size()) refuse_template(line_, "tag has no end", std::string(end), "none");
      const bool signs = follows("-") || (!prints && follows("+"));
      const std::size_t length = signs ? 1 : 0;
      const bool ends = std::string_view(source_).substr(at_ + length).starts_with(end);
      if (depth == 0 && ends) {
        push(prints ? TokenKind::kPrintEnd : TokenKind::kTagEnd, "");
        return end_tag(length + 2, signs ? source_[at_] : '\0', !prints);
      }
      take_token();
      const Token& last = tokens_.back();
      if (last.kind == TokenKind::kOperator && last.text == "{") ++depth;
      if (last.kind == TokenKind::kOperator && last.text == "}") --depth;
    }
  }

  void take_token() {
    const char c = source_[at_];
    if (is_name_character(c, true)) return take_name();
    if (c >= '0' && c <= '9') return take_number();
    if (c == '"' || c == '\'') return take_string(c);
    constexpr std::array<std::string_view, 8> kPairs = {
        "==", "!=", "<=", ">=", "**", "//", "||", "&&"};
    for (const std::string_view pair : kPairs) {
      if (follows(pair)) return take_operator(2);
    }
    if (std::string_view("+-*/%~<>=()[]{}.,:|").find(c) == std::string_view::npos) {
      refuse_template(line_, "chat template is not understood", "an expression of Jinja",
                      printable(std::string_view(source_).substr(at_, 1)));
    }
    take_operator(1);
  }

  void take_operator(std::size_t length) {
    push(TokenKind::kOperator, source_.substr(at_, length));
    skip(length);
  }

  void take_name() {
    std::size_t end = at_;
    while (end < source_.size() && is_name_character(source_[end], false)) ++end;
    push(TokenKind::kName, source_.substr(at_, end - at_));
    skip(end - at_);
  }

  void take_number() {
    constexpr std::string_view kDigits = "0123456789";
    std::size_t end = std::min(source_.find_first_not_of(kDigits, at_), source_.size());
    const bool real = end + 1 < source_.size() && source_[end] == '.' &&
                      kDigits.find(source_[end + 1]) != kDigits.npos;
    if (real) end = std::min(source_.find_first_not_of(kDigits, end + 1), source_.size());
    push(real ? TokenKind::kReal : TokenKind::kInteger, source_.substr(at_, end - at_));
    skip(end - at_);
  }

  void take_string(char quote) {
    std::string text;
    std::size_t end = at_ + 1;
    for (; end < source_.size() && source_[end] != quote; ++end) {
      if (source_[end] != '\\') {
        text += source_[end];
      } else if (++end < source_.size()) {
        append_escaped(source_[end], text);
      }
    }
    if (end >= source_.size()) refuse_template(line_, "string has no end", "a quote", "none");
    push(TokenKind::kString, std::move(text));
    skip(end + 1 - at_);
  }

  void append_escaped(char c, std::string& text) const {
    switch (c) {
      case 'n':
        text += '\n';
        break;
      case 't':
        text += '\t';
        break;
      case 'r':
        text += '\r';
        break;
      case '\\':
      case '\'':
      case '"':
        text += c;
        break;
      case 'u':
      case 'x':
      case 'U':
      case 'N':
        refuse_template(line_, "chat template is not supported", "\\n, \\t, \\r, \\\\ and quotes",
                        fmt::format("\\{} in a string", c));
      default:
        text += '\\';
        text += c;
    }
  }

  std::string source_;
  std::size_t at_ = 0;
  int line_ = 1;
  bool line_starts_ = true;
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokens_of(std::string_view source) {
  return Lexer(source).tokens();
}

void refuse_template(int line, const std::string& what, const std::string& expected,
                     const std::string& found) {
  throw InputError({.what = what,
                    .where = fmt::format("chat template, line {}", line),
                    .expected = expected,
                    .found = printable(found)});
}

}  // namespace regroup::models::chat
