#include "models/text/chat/operations.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "models/text/chat/lexer.hpp"

namespace regroup::models::chat {
namespace {

constexpr std::size_t kLongestText = 100'000'000;

[[noreturn]] void refuse_operands(std::string_view operation, const Value& a, const Value& b,
                                  int line) {
  refuse_template(line, "chat template cannot be applied", "values that fit together",
                  a.type() + " " + std::string(operation) + " " + b.type());
}

/// An integer, or a boolean as one.
std::optional<std::int64_t> as_integer(const Value& value) {
  if (value.boolean() != nullptr) return *value.boolean() ? 1 : 0;
  return value.integer() == nullptr ? std::nullopt : std::optional(*value.integer());
}

std::optional<double> as_real(const Value& value) {
  if (const auto integer = as_integer(value)) return static_cast<double>(*integer);
  return value.real() == nullptr ? std::nullopt : std::optional(*value.real());
}

std::int64_t floor_quotient(std::int64_t a, std::int64_t b) {
  const std::int64_t quotient = a / b;
  return a % b != 0 && (a % b < 0) != (b < 0) ? quotient - 1 : quotient;
}

std::optional<Value> of_integers(std::string_view operation, std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  bool overflows = false;
  if (operation == "+") {
    overflows = __builtin_add_overflow(a, b, &result);
  } else if (operation == "-") {
    overflows = __builtin_sub_overflow(a, b, &result);
  } else if (operation == "*") {
    overflows = __builtin_mul_overflow(a, b, &result);
  } else if ((operation == "//" || operation == "%") && b != 0 && b != -1) {
    result = operation == "%" ? a - floor_quotient(a, b) * b : floor_quotient(a, b);
  } else if (operation == "%" && b == -1) {
    result = 0;
  } else if (operation == "//" && b == -1) {
    overflows = __builtin_sub_overflow(std::int64_t{0}, a, &result);
  } else {
    return std::nullopt;
  }
  return overflows ? std::nullopt : std::optional<Value>(result);
}

std::optional<Value> of_reals(std::string_view operation, double a, double b) {
  if (operation == "+") return a + b;
  if (operation == "-") return a - b;
  if (operation == "*") return a * b;
  if (operation == "**") return std::pow(a, b);
  if (b == 0) return std::nullopt;
  if (operation == "/") return a / b;
  if (operation == "//") return std::floor(a / b);
  if (operation == "%") return a - std::floor(a / b) * b;
  return std::nullopt;
}

std::string repeated(const std::string& text, std::int64_t times, int line) {
  const auto count = static_cast<std::size_t>(std::max<std::int64_t>(times, 0));
  if (!text.empty() && count > kLongestText / text.size()) {
    refuse_template(line, "chat template cannot be applied", "a text of bounded length",
                    "a text repeated very often");
  }
  std::string result;
  for (std::size_t i = 0; i < count; ++i) result += text;
  return result;
}

List joined(const List& a, const List& b) {
  List both = a;
  both.insert(both.end(), b.begin(), b.end());
  return both;
}

bool contains(const Value& whole, const Value& part, int line) {
  if (whole.text() != nullptr && part.text() != nullptr) {
    return whole.text()->find(*part.text()) != std::string::npos;
  }
  if (whole.list() != nullptr) {
    return std::find(whole.list()->begin(), whole.list()->end(), part) != whole.list()->end();
  }
  if (whole.dict() != nullptr) {
    return part.text() != nullptr && whole.dict()->find(*part.text()) != nullptr;
  }
  if (whole.is_undefined()) return false;
  refuse_operands("in", part, whole, line);
}

/// Bounds of a slice as Python has them.
std::int64_t bound(const Value& value, std::int64_t usual, std::int64_t least, std::int64_t most,
                   std::int64_t size, int line) {
  if (value.is_undefined() || value.is_none()) return usual;
  const auto given = as_integer(value);
  if (!given) refuse_template(line, "chat template cannot be applied", "an integer", value.type());
  return std::clamp(*given < 0 ? *given + size : *given, least, most);
}

template <class Take>
void for_each_in_slice(std::size_t length, const Value& from, const Value& to, const Value& step,
                       int line, const Take& take) {
  const auto size = static_cast<std::int64_t>(length);
  const std::int64_t by = step.is_undefined() || step.is_none() ? 1 : as_integer(step).value_or(0);
  if (by == 0) refuse_template(line, "chat template cannot be applied", "a step", step.type());
  const std::int64_t least = by > 0 ? 0 : -1;
  const std::int64_t most = by > 0 ? size : size - 1;
  const std::int64_t begin = bound(from, by > 0 ? 0 : size - 1, least, most, size, line);
  const std::int64_t end = bound(to, by > 0 ? size : -1, least, most, size, line);
  for (std::int64_t i = begin; by > 0 ? i < end : i > end;) {
    take(static_cast<std::size_t>(i));
    if (__builtin_add_overflow(i, by, &i)) return;
  }
}

}  // namespace

Value binary(std::string_view operation, const Value& a, const Value& b, int line) {
  if (operation == "~") return a.str() + b.str();
  const auto left = as_integer(a);
  const auto right = as_integer(b);
  if (left && right && operation != "/" && operation != "**") {
    if (const auto result = of_integers(operation, *left, *right)) return *result;
  } else if (as_real(a) && as_real(b)) {
    const auto result = of_reals(operation, *as_real(a), *as_real(b));
    const bool whole = operation == "**" && left && right && *right >= 0 && result &&
                       std::abs(*result->real()) < 9e15;
    if (whole) return static_cast<std::int64_t>(*result->real());
    if (result) return *result;
  }
  if (operation == "+" && a.text() != nullptr && b.text() != nullptr) return *a.text() + *b.text();
  if (operation == "+" && a.list() != nullptr && b.list() != nullptr) {
    return joined(*a.list(), *b.list());
  }
  if (operation == "*" && a.text() != nullptr && right) return repeated(*a.text(), *right, line);
  if (operation == "*" && b.text() != nullptr && left) return repeated(*b.text(), *left, line);
  refuse_operands(operation, a, b, line);
}

bool compare(std::string_view operation, const Value& a, const Value& b, int line) {
  if (operation == "==") return a == b;
  if (operation == "!=") return !(a == b);
  if (operation == "in") return contains(b, a, line);
  int order = 0;
  if (as_real(a) && as_real(b)) {
    order = *as_real(a) < *as_real(b) ? -1 : (*as_real(a) > *as_real(b) ? 1 : 0);
  } else if (a.text() != nullptr && b.text() != nullptr) {
    order = a.text()->compare(*b.text());
  } else {
    refuse_operands(operation, a, b, line);
  }
  if (operation == "<") return order < 0;
  if (operation == "<=") return order <= 0;
  return operation == ">" ? order > 0 : order >= 0;
}

Value item(const Value& value, const Value& key, int line) {
  if (value.is_undefined()) {
    refuse_template(line, "chat template cannot be applied", "a value with parts", value.type());
  }
  const Value none = Value::Undefined{key.str()};
  if (value.dict() != nullptr) {
    const Value* found = key.text() == nullptr ? nullptr : value.dict()->find(*key.text());
    return found == nullptr ? none : *found;
  }
  const auto index = as_integer(key);
  if (!index) return none;
  const auto at = [&](std::size_t size) -> std::optional<std::size_t> {
    const std::int64_t i = *index < 0 ? *index + static_cast<std::int64_t>(size) : *index;
    if (i < 0 || i >= static_cast<std::int64_t>(size)) return std::nullopt;
    return static_cast<std::size_t>(i);
  };
  if (value.list() != nullptr) {
    const auto i = at(value.list()->size());
    return i ? (*value.list())[*i] : none;
  }
  if (value.text() == nullptr) return none;
  const auto characters = characters_of(*value.text());
  const auto i = at(characters.size());
  return i ? Value(std::string(characters[*i])) : none;
}

Value slice(const Value& value, const Value& from, const Value& to, const Value& step, int line) {
  if (value.list() != nullptr) {
    List part;
    for_each_in_slice(value.list()->size(), from, to, step, line,
                      [&](std::size_t i) { part.push_back((*value.list())[i]); });
    return part;
  }
  if (value.text() == nullptr) {
    refuse_template(line, "chat template cannot be applied", "a list or a string", value.type());
  }
  const auto characters = characters_of(*value.text());
  std::string part;
  for_each_in_slice(characters.size(), from, to, step, line,
                    [&](std::size_t i) { part += characters[i]; });
  return part;
}

List elements_of(const Value& value, int line) {
  if (value.list() != nullptr) return *value.list();
  List elements;
  if (value.is_undefined()) return elements;
  if (value.text() != nullptr) {
    for (const std::string_view c : characters_of(*value.text()))
      elements.push_back(std::string(c));
  } else if (value.dict() != nullptr) {
    for (const auto& entry : value.dict()->entries) elements.push_back(entry.first);
  } else {
    refuse_template(line, "chat template cannot be applied", "a list, a mapping or a string",
                    value.type());
  }
  return elements;
}

}  // namespace regroup::models::chat
