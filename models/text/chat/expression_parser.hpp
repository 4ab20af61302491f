#pragma once

#include "models/text/chat/expressions.hpp"
#include "models/text/chat/token_reader.hpp"

namespace regroup::models::chat {

/// Reads an expression by Jinja's precedence. Throws InputError, naming the line, for what is none.
class ExpressionParser {
 public:
  /// Keeps the reference.
  explicit ExpressionParser(TokenReader& tokens) : tokens_(tokens) {}

  /// With `a if b else c`.
  ExpressionPtr expression();
  /// Without, as in `for x in … if …`.
  ExpressionPtr plain_expression() { return disjunction(); }
  /// One expression, or several with commas between them, which are a list.
  ExpressionPtr expression_or_tuple();

 private:
  /// Counts how deep expressions lie in one another.
  class Depth;

  ExpressionPtr disjunction();
  ExpressionPtr conjunction();
  ExpressionPtr inversion();
  ExpressionPtr comparisons();
  ExpressionPtr operations(std::size_t level);
  ExpressionPtr unary();
  ExpressionPtr power();
  ExpressionPtr with_filters_and_tests(ExpressionPtr value);
  ExpressionPtr test(ExpressionPtr value);
  ExpressionPtr postfixed(ExpressionPtr value);
  ExpressionPtr bracketed(ExpressionPtr value);
  ExpressionPtr primary();
  ExpressionPtr named_constant(const Token& name);
  ExpressionPtr list(const char* end);
  ExpressionPtr dict();
  ExpressionPtr parenthesized();
  ArgumentList arguments();

  TokenReader& tokens_;
  int depth_ = 0;
};

}  // namespace regroup::models::chat
