#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "models/text/chat/lexer.hpp"

namespace regroup::models::chat {

/// Goes through the tokens of a template.
class TokenReader {
 public:
  explicit TokenReader(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  const Token& peek(std::size_t ahead = 0) const {
    return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
  }
  int line() const { return peek().line; }
  Token take() {
    const Token& token = peek();
    if (at_ + 1 < tokens_.size()) ++at_;
    return token;
  }
  bool is(TokenKind kind) const { return peek().kind == kind; }
  bool is(TokenKind kind, std::string_view text, std::size_t ahead = 0) const {
    return peek(ahead).kind == kind && peek(ahead).text == text;
  }
  bool is_operator(std::string_view text) const { return is(TokenKind::kOperator, text); }
  bool is_name(std::string_view text, std::size_t ahead = 0) const {
    return is(TokenKind::kName, text, ahead);
  }
  /// Takes the token if it is that one.
  bool accept_operator(std::string_view text) { return accept(TokenKind::kOperator, text); }
  bool accept_name(std::string_view text) { return accept(TokenKind::kName, text); }

  [[noreturn]] void refuse(const std::string& expected) const {
    const Token& token = peek();
    refuse_template(token.line, "chat template is not understood", expected,
                    token.text.empty() ? "the end of the tag" : token.text);
  }
  void require_operator(std::string_view text) {
    if (!accept_operator(text)) refuse(std::string(text));
  }
  std::string require_name() {
    if (!is(TokenKind::kName)) refuse("a name");
    return take().text;
  }
  void require(TokenKind kind, const std::string& expected) {
    if (!is(kind)) refuse(expected);
    take();
  }

 private:
  bool accept(TokenKind kind, std::string_view text) {
    if (!is(kind, text)) return false;
    take();
    return true;
  }

  std::vector<Token> tokens_;
  std::size_t at_ = 0;
};

}  // namespace regroup::models::chat
