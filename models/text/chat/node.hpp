#pragma once

#include <memory>
#include <string>
#include <vector>

#include "models/text/chat/scope.hpp"
#include "models/text/chat/value.hpp"

namespace regroup::models::chat {

/// An expression of a template. Throws InputError for what it cannot do with its values.
class Expression {
 public:
  explicit Expression(int line) : line_(line) {}
  virtual ~Expression() = default;
  virtual Value evaluate(Scope& scope) const = 0;
  int line() const { return line_; }

 private:
  int line_;
};
using ExpressionPtr = std::unique_ptr<const Expression>;

/// How a statement came to its end.
enum class Flow { kGoOn, kBreak, kContinue };

/// A part of a template that writes text or sets variables.
class Statement {
 public:
  virtual ~Statement() = default;
  virtual Flow run(Scope& scope, std::string& out) const = 0;
};
using StatementPtr = std::unique_ptr<const Statement>;

/// Statements, one after another.
using Block = std::vector<StatementPtr>;
Flow run(const Block& block, Scope& scope, std::string& out);

}  // namespace regroup::models::chat
