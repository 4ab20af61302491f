#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace regroup::models::chat {

enum class TokenKind {
  kText,        ///< printed as it is
  kPrintBegin,  ///< {{
  kPrintEnd,
  kTagBegin,  ///< {%
  kTagEnd,
  kName,
  kInteger,
  kReal,
  kString,
  kOperator,
  kEnd,
};

struct Token {
  TokenKind kind;
  std::string text;  ///< a string's content, an operator's characters
  int line;
};

/// Cuts a template into tokens, with `trim_blocks` and `lstrip_blocks` as transformers sets them:
/// the line break behind a tag and the blanks before it on its line are left out. Throws
/// InputError, naming the line, for what is no token.
std::vector<Token> tokens_of(std::string_view source);

/// Throws the InputError for a construct of a template that is not understood.
[[noreturn]] void refuse_template(int line, const std::string& what, const std::string& expected,
                                  const std::string& found);

}  // namespace regroup::models::chat
