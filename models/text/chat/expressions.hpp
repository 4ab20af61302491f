#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "models/text/chat/node.hpp"

namespace regroup::models::chat {

/// Unevaluated arguments of a call.
struct ArgumentList {
  std::vector<ExpressionPtr> values;
  std::vector<std::pair<std::string, ExpressionPtr>> named;

  Arguments evaluate(Scope& scope) const;
};

// The expressions of the language; each function makes one.

ExpressionPtr constant(int line, Value value);
ExpressionPtr variable(int line, std::string name);
ExpressionPtr list_display(int line, std::vector<ExpressionPtr> elements);
ExpressionPtr dict_display(int line, std::vector<std::pair<ExpressionPtr, ExpressionPtr>> entries);
ExpressionPtr binary_operation(int line, std::string operation, ExpressionPtr a, ExpressionPtr b);
/// `and` and `or`, which give one of their operands.
ExpressionPtr choice_operation(int line, bool is_and, ExpressionPtr a, ExpressionPtr b);
ExpressionPtr negation(int line, ExpressionPtr operand);
/// `a < b <= c`: operands, one more than operations.
ExpressionPtr comparison(int line, std::vector<std::string> operations,
                         std::vector<ExpressionPtr> operands);
/// `a if condition else b`; without b undefined.
ExpressionPtr conditional(int line, ExpressionPtr condition, ExpressionPtr a, ExpressionPtr b);
ExpressionPtr attribute(int line, ExpressionPtr value, std::string name);
ExpressionPtr subscript(int line, ExpressionPtr value, ExpressionPtr key);
/// Bounds that are left out are null.
ExpressionPtr slicing(int line, ExpressionPtr value, ExpressionPtr from, ExpressionPtr to,
                      ExpressionPtr step);
ExpressionPtr call(int line, ExpressionPtr function, ArgumentList arguments);
ExpressionPtr filtered(int line, ExpressionPtr value, std::string name, ArgumentList arguments);
ExpressionPtr tested(int line, ExpressionPtr value, std::string name, ArgumentList arguments);

}  // namespace regroup::models::chat
