#include "models/text/chat/expression_parser.hpp"

#include <array>
#include <charconv>

namespace regroup::models::chat {

class ExpressionParser::Depth {
 public:
  explicit Depth(ExpressionParser& parser) : parser_(parser) {
    constexpr int kDeepest = 100;
    if (++parser_.depth_ > kDeepest) parser_.tokens_.refuse("expressions less deep");
  }
  ~Depth() { --parser_.depth_; }
  Depth(const Depth&) = delete;
  Depth& operator=(const Depth&) = delete;

 private:
  ExpressionParser& parser_;
};

ExpressionPtr ExpressionParser::expression() {
  const Depth depth(*this);
  ExpressionPtr value = disjunction();
  while (tokens_.is_name("if")) {
    const int line = tokens_.take().line;
    ExpressionPtr condition = disjunction();
    ExpressionPtr otherwise = tokens_.accept_name("else") ? expression() : nullptr;
    value = conditional(line, std::move(condition), std::move(value), std::move(otherwise));
  }
  return value;
}

ExpressionPtr ExpressionParser::expression_or_tuple() {
  const int line = tokens_.line();
  ExpressionPtr first = expression();
  if (!tokens_.is_operator(",")) return first;
  std::vector<ExpressionPtr> elements;
  elements.push_back(std::move(first));
  while (tokens_.accept_operator(",")) {
    if (tokens_.is(TokenKind::kTagEnd) || tokens_.is(TokenKind::kPrintEnd)) break;
    elements.push_back(expression());
  }
  return list_display(line, std::move(elements));
}

ExpressionPtr ExpressionParser::disjunction() {
  ExpressionPtr value = conjunction();
  while (tokens_.is_name("or")) {
    const int line = tokens_.take().line;
    value = choice_operation(line, false, std::move(value), conjunction());
  }
  return value;
}

ExpressionPtr ExpressionParser::conjunction() {
  ExpressionPtr value = inversion();
  while (tokens_.is_name("and")) {
    const int line = tokens_.take().line;
    value = choice_operation(line, true, std::move(value), inversion());
  }
  return value;
}

ExpressionPtr ExpressionParser::inversion() {
  if (!tokens_.is_name("not")) return comparisons();
  const Depth depth(*this);
  const int line = tokens_.take().line;
  return negation(line, inversion());
}

ExpressionPtr ExpressionParser::comparisons() {
  constexpr std::array<std::string_view, 6> kOperators = {"==", "!=", "<=", ">=", "<", ">"};
  const int line = tokens_.line();
  std::vector<std::string> found;
  std::vector<ExpressionPtr> operands;
  operands.push_back(operations(0));
  while (true) {
    std::string next;
    for (const std::string_view known : kOperators) {
      if (tokens_.is_operator(known)) next = known;
    }
    if (tokens_.is_name("in")) next = "in";
    if (tokens_.is_name("not") && tokens_.is_name("in", 1)) next = "not in";
    if (next.empty()) break;
    if (next == "not in") tokens_.take();
    tokens_.take();
    found.push_back(next);
    operands.push_back(operations(0));
  }
  if (found.empty()) return std::move(operands[0]);
  return comparison(line, std::move(found), std::move(operands));
}

/// `+ -`, then `~`, then `* / // %`.
ExpressionPtr ExpressionParser::operations(std::size_t level) {
  static const std::array<std::vector<std::string_view>, 3> kLevels = {
      {{"+", "-"}, {"~"}, {"*", "/", "//", "%"}}};
  if (level == kLevels.size()) return unary();
  ExpressionPtr value = operations(level + 1);
  while (true) {
    const auto& known = kLevels[level];
    const auto found = std::find_if(known.begin(), known.end(), [&](std::string_view name) {
      return tokens_.is_operator(name);
    });
    if (found == known.end()) return value;
    const int line = tokens_.take().line;
    value = binary_operation(line, std::string(*found), std::move(value), operations(level + 1));
  }
}

ExpressionPtr ExpressionParser::unary() {
  const Depth depth(*this);
  const int line = tokens_.line();
  if (tokens_.accept_operator("-")) {
    return binary_operation(line, "-", constant(line, std::int64_t{0}), unary());
  }
  if (tokens_.accept_operator("+")) return unary();
  return power();
}

ExpressionPtr ExpressionParser::power() {
  ExpressionPtr value = with_filters_and_tests(postfixed(primary()));
  while (tokens_.is_operator("**")) {
    const int line = tokens_.take().line;
    value = binary_operation(line, "**", std::move(value), unary());
  }
  return value;
}

ExpressionPtr ExpressionParser::with_filters_and_tests(ExpressionPtr value) {
  while (true) {
    if (tokens_.accept_operator("|")) {
      const int line = tokens_.line();
      std::string name = tokens_.require_name();
      ArgumentList given = tokens_.is_operator("(") ? arguments() : ArgumentList();
      value = postfixed(filtered(line, std::move(value), std::move(name), std::move(given)));
    } else if (tokens_.accept_name("is")) {
      value = test(std::move(value));
    } else {
      return value;
    }
  }
}

/// The test behind `is`. An argument may stand without parentheses: `x is divisibleby 3`.
ExpressionPtr ExpressionParser::test(ExpressionPtr value) {
  const int line = tokens_.line();
  const bool negative = tokens_.accept_name("not");
  std::string name = tokens_.require_name();
  ArgumentList given;
  const bool is_word = tokens_.is_name("and") || tokens_.is_name("or") || tokens_.is_name("else") ||
                       tokens_.is_name("if") || tokens_.is_name("is") || tokens_.is_name("in") ||
                       tokens_.is_name("not");
  const bool has_value = tokens_.is(TokenKind::kName) || tokens_.is(TokenKind::kString) ||
                         tokens_.is(TokenKind::kInteger) || tokens_.is(TokenKind::kReal) ||
                         tokens_.is_operator("[") || tokens_.is_operator("{");
  if (tokens_.is_operator("(")) {
    given = arguments();
  } else if (has_value && !is_word) {
    given.values.push_back(postfixed(primary()));
  }
  ExpressionPtr result = tested(line, std::move(value), std::move(name), std::move(given));
  return negative ? negation(line, std::move(result)) : std::move(result);
}

ExpressionPtr ExpressionParser::postfixed(ExpressionPtr value) {
  while (true) {
    const int line = tokens_.line();
    if (tokens_.accept_operator(".")) {
      if (tokens_.is(TokenKind::kInteger)) {
        value = subscript(line, std::move(value), primary());
      } else {
        value = attribute(line, std::move(value), tokens_.require_name());
      }
    } else if (tokens_.is_operator("[")) {
      value = bracketed(std::move(value));
    } else if (tokens_.is_operator("(")) {
      ArgumentList given = arguments();
      value = call(line, std::move(value), std::move(given));
    } else {
      return value;
    }
  }
}

/// `[key]` or `[from:to:step]`.
ExpressionPtr ExpressionParser::bracketed(ExpressionPtr value) {
  const int line = tokens_.take().line;
  std::array<ExpressionPtr, 3> parts;
  std::size_t colons = 0;
  while (!tokens_.accept_operator("]")) {
    if (tokens_.accept_operator(":")) {
      if (++colons == parts.size()) tokens_.refuse("]");
    } else if (parts[colons]) {
      tokens_.refuse("]");
    } else {
      parts[colons] = expression();
    }
  }
  if (colons > 0) {
    return slicing(line, std::move(value), std::move(parts[0]), std::move(parts[1]),
                   std::move(parts[2]));
  }
  if (!parts[0]) tokens_.refuse("a key");
  return subscript(line, std::move(value), std::move(parts[0]));
}

ExpressionPtr ExpressionParser::primary() {
  const Depth depth(*this);
  const Token token = tokens_.peek();
  switch (token.kind) {
    case TokenKind::kName:
      tokens_.take();
      return named_constant(token);
    case TokenKind::kString: {
      std::string text;
      while (tokens_.is(TokenKind::kString)) text += tokens_.take().text;
      return constant(token.line, std::move(text));
    }
    case TokenKind::kInteger:
    case TokenKind::kReal: {
      tokens_.take();
      if (token.kind == TokenKind::kReal) return constant(token.line, std::stod(token.text));
      std::int64_t number = 0;
      const char* end = token.text.data() + token.text.size();
      const auto result = std::from_chars(token.text.data(), end, number);
      if (result.ec != std::errc()) tokens_.refuse("an integer of 64 bits");
      return constant(token.line, number);
    }
    default:
      break;
  }
  if (tokens_.accept_operator("(")) return parenthesized();
  if (tokens_.accept_operator("[")) return list("]");
  if (tokens_.accept_operator("{")) return dict();
  tokens_.refuse("a value");
}

ExpressionPtr ExpressionParser::named_constant(const Token& name) {
  if (name.text == "true" || name.text == "True") return constant(name.line, true);
  if (name.text == "false" || name.text == "False") return constant(name.line, false);
  if (name.text == "none" || name.text == "None") return constant(name.line, Value::None{});
  return variable(name.line, name.text);
}

ExpressionPtr ExpressionParser::list(const char* end) {
  const int line = tokens_.line();
  std::vector<ExpressionPtr> elements;
  while (!tokens_.accept_operator(end)) {
    elements.push_back(expression());
    if (!tokens_.accept_operator(",") && !tokens_.is_operator(end)) tokens_.refuse(end);
  }
  return list_display(line, std::move(elements));
}

ExpressionPtr ExpressionParser::dict() {
  const int line = tokens_.line();
  std::vector<std::pair<ExpressionPtr, ExpressionPtr>> entries;
  while (!tokens_.accept_operator("}")) {
    ExpressionPtr key = expression();
    tokens_.require_operator(":");
    ExpressionPtr value = expression();
    entries.emplace_back(std::move(key), std::move(value));
    if (!tokens_.accept_operator(",") && !tokens_.is_operator("}")) tokens_.refuse("}");
  }
  return dict_display(line, std::move(entries));
}

/// What stands in parentheses: a value, or, with a comma, a tuple.
ExpressionPtr ExpressionParser::parenthesized() {
  const int line = tokens_.line();
  if (tokens_.accept_operator(")")) return list_display(line, {});
  ExpressionPtr first = expression();
  if (tokens_.accept_operator(")")) return first;
  std::vector<ExpressionPtr> elements;
  elements.push_back(std::move(first));
  while (tokens_.accept_operator(",") && !tokens_.is_operator(")")) {
    elements.push_back(expression());
  }
  tokens_.require_operator(")");
  return list_display(line, std::move(elements));
}

ArgumentList ExpressionParser::arguments() {
  tokens_.require_operator("(");
  ArgumentList given;
  while (!tokens_.accept_operator(")")) {
    if (tokens_.is(TokenKind::kName) && tokens_.is(TokenKind::kOperator, "=", 1)) {
      std::string name = tokens_.take().text;
      tokens_.take();
      given.named.emplace_back(std::move(name), expression());
    } else {
      given.values.push_back(expression());
    }
    if (!tokens_.accept_operator(",") && !tokens_.is_operator(")")) tokens_.refuse(")");
  }
  return given;
}

}  // namespace regroup::models::chat
