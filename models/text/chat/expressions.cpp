#include "models/text/chat/expressions.hpp"

#include "models/text/chat/lexer.hpp"
#include "models/text/chat/operations.hpp"

namespace regroup::models::chat {
namespace {

/// An expression whose value a function computes.
template <class Compute>
class Computed : public Expression {
 public:
  Computed(int line, Compute compute) : Expression(line), compute_(std::move(compute)) {}
  Value evaluate(Scope& scope) const override {
    scope.count();
    return compute_(scope);
  }

 private:
  Compute compute_;
};

template <class Compute>
ExpressionPtr computed(int line, Compute compute) {
  return std::make_unique<Computed<Compute>>(line, std::move(compute));
}

bool holds(const std::string& operation, const Value& a, const Value& b, int line) {
  if (operation == "not in") return !compare("in", a, b, line);
  return compare(operation, a, b, line);
}

Value evaluate_or_undefined(const ExpressionPtr& expression, Scope& scope) {
  return expression ? expression->evaluate(scope) : Value();
}

}  // namespace

Arguments ArgumentList::evaluate(Scope& scope) const {
  Arguments arguments;
  for (const ExpressionPtr& value : values) arguments.values.push_back(value->evaluate(scope));
  for (const auto& [name, value] : named)
    arguments.named.emplace_back(name, value->evaluate(scope));
  return arguments;
}

ExpressionPtr constant(int line, Value value) {
  return computed(line, [value = std::move(value)](Scope&) { return value; });
}

ExpressionPtr variable(int line, std::string name) {
  return computed(line, [name = std::move(name)](Scope& scope) { return scope.find(name); });
}

ExpressionPtr list_display(int line, std::vector<ExpressionPtr> elements) {
  return computed(line, [elements = std::move(elements)](Scope& scope) -> Value {
    List list;
    for (const ExpressionPtr& element : elements) list.push_back(element->evaluate(scope));
    return list;
  });
}

ExpressionPtr dict_display(int line, std::vector<std::pair<ExpressionPtr, ExpressionPtr>> entries) {
  return computed(line, [line, entries = std::move(entries)](Scope& scope) -> Value {
    Dict dict;
    for (const auto& [key, value] : entries) {
      const Value name = key->evaluate(scope);
      if (name.text() == nullptr) {
        refuse_template(line, "chat template is not supported", "keys that are strings",
                        name.type());
      }
      dict.set(*name.text(), value->evaluate(scope));
    }
    return dict;
  });
}

ExpressionPtr binary_operation(int line, std::string operation, ExpressionPtr a, ExpressionPtr b) {
  return computed(line, [line, operation = std::move(operation), a = std::move(a),
                         b = std::move(b)](Scope& scope) {
    const Value left = a->evaluate(scope);
    const Value result = binary(operation, left, b->evaluate(scope), line);
    if (result.text() != nullptr) scope.count(result.text()->size());
    if (result.list() != nullptr) scope.count(result.list()->size());
    return result;
  });
}

ExpressionPtr choice_operation(int line, bool is_and, ExpressionPtr a, ExpressionPtr b) {
  return computed(line, [is_and, a = std::move(a), b = std::move(b)](Scope& scope) {
    Value left = a->evaluate(scope);
    return left.truth() == is_and ? b->evaluate(scope) : left;
  });
}

ExpressionPtr negation(int line, ExpressionPtr operand) {
  return computed(line, [operand = std::move(operand)](Scope& scope) -> Value {
    return !operand->evaluate(scope).truth();
  });
}

ExpressionPtr comparison(int line, std::vector<std::string> operations,
                         std::vector<ExpressionPtr> operands) {
  return computed(line,
                  [line, operations = std::move(operations),
                   operands = std::move(operands)](Scope& scope) -> Value {
                    Value left = operands[0]->evaluate(scope);
                    for (std::size_t i = 0; i < operations.size(); ++i) {
                      Value right = operands[i + 1]->evaluate(scope);
                      if (!holds(operations[i], left, right, line)) return false;
                      left = std::move(right);
                    }
                    return true;
                  });
}

ExpressionPtr conditional(int line, ExpressionPtr condition, ExpressionPtr a, ExpressionPtr b) {
  return computed(
      line, [condition = std::move(condition), a = std::move(a), b = std::move(b)](Scope& scope) {
        if (condition->evaluate(scope).truth()) return a->evaluate(scope);
        return evaluate_or_undefined(b, scope);
      });
}

/// A part of that name comes first, as in Jinja's `a.b` for mappings, but methods before it.
ExpressionPtr attribute(int line, ExpressionPtr value, std::string name) {
  return computed(line, [line, value = std::move(value), name = std::move(name)](Scope& scope) {
    const Value whole = value->evaluate(scope);
    if (whole.is_undefined()) return item(whole, name, line);
    const bool keeps_keys = whole.dict() != nullptr && whole.dict()->is_namespace;
    const Value own = keeps_keys ? Value() : method(whole, name, line);
    return own.is_undefined() ? item(whole, name, line) : own;
  });
}

ExpressionPtr subscript(int line, ExpressionPtr value, ExpressionPtr key) {
  return computed(line, [line, value = std::move(value), key = std::move(key)](Scope& scope) {
    const Value whole = value->evaluate(scope);
    return item(whole, key->evaluate(scope), line);
  });
}

ExpressionPtr slicing(int line, ExpressionPtr value, ExpressionPtr from, ExpressionPtr to,
                      ExpressionPtr step) {
  return computed(line, [line, value = std::move(value), from = std::move(from), to = std::move(to),
                         step = std::move(step)](Scope& scope) {
    const Value whole = value->evaluate(scope);
    const Value begin = evaluate_or_undefined(from, scope);
    const Value end = evaluate_or_undefined(to, scope);
    return slice(whole, begin, end, evaluate_or_undefined(step, scope), line);
  });
}

ExpressionPtr call(int line, ExpressionPtr function, ArgumentList arguments) {
  return computed(
      line, [line, function = std::move(function), arguments = std::move(arguments)](Scope& scope) {
        const Value callee = function->evaluate(scope);
        if (callee.callable() == nullptr) {
          refuse_template(line, "chat template is not supported", "a function that is known",
                          "a call of " + callee.type());
        }
        return callee.callable()->call(arguments.evaluate(scope));
      });
}

ExpressionPtr filtered(int line, ExpressionPtr value, std::string name, ArgumentList arguments) {
  return computed(line, [line, value = std::move(value), name = std::move(name),
                         arguments = std::move(arguments)](Scope& scope) {
    const Value input = value->evaluate(scope);
    return apply_filter(name, input, arguments.evaluate(scope), line);
  });
}

ExpressionPtr tested(int line, ExpressionPtr value, std::string name, ArgumentList arguments) {
  return computed(line,
                  [line, value = std::move(value), name = std::move(name),
                   arguments = std::move(arguments)](Scope& scope) -> Value {
                    const Value input = value->evaluate(scope);
                    return apply_test(name, input, arguments.evaluate(scope), line);
                  });
}

}  // namespace regroup::models::chat
