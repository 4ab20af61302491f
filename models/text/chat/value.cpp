#include "models/text/chat/value.hpp"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "models/text/pipeline/unicode.hpp"

namespace regroup::models::chat {
namespace {

/// As a number, if it is one; true is 1.
std::optional<double> number_of(const Value& value) {
  if (const bool* b = value.boolean()) return *b ? 1 : 0;
  if (const std::int64_t* i = value.integer()) return static_cast<double>(*i);
  if (const double* r = value.real()) return *r;
  return std::nullopt;
}

std::string text_of_real(double value) {
  std::string text = fmt::format("{}", value);
  const bool whole = text.find_first_not_of("-0123456789") == text.npos;
  return whole ? text + ".0" : text;
}

std::string quoted(const std::string& text) {
  const char quote = text.find('\'') != text.npos && text.find('"') == text.npos ? '"' : '\'';
  std::string result(1, quote);
  for (const char c : text) {
    if (c == quote || c == '\\') result += '\\';
    if (c == '\n') {
      result += "\\n";
    } else if (c == '\t') {
      result += "\\t";
    } else if (c == '\r') {
      result += "\\r";
    } else {
      result += c;
    }
  }
  return result + quote;
}

bool equal_lists(const List& a, const List& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!(a[i] == b[i])) return false;
  }
  return true;
}

bool equal_dicts(const Dict& a, const Dict& b) {
  if (a.entries.size() != b.entries.size()) return false;
  for (const auto& [key, value] : a.entries) {
    const Value* other = b.find(key);
    if (other == nullptr || !(value == *other)) return false;
  }
  return true;
}

}  // namespace

const Value* Dict::find(std::string_view key) const {
  for (const auto& [name, value] : entries) {
    if (name == key) return &value;
  }
  return nullptr;
}

void Dict::set(const std::string& key, Value value) {
  for (auto& [name, old] : entries) {
    if (name != key) continue;
    old = std::move(value);
    return;
  }
  entries.emplace_back(key, std::move(value));
}

Value Arguments::get(std::size_t i, std::string_view name) const {
  if (i < values.size()) return values[i];
  for (const auto& [key, value] : named) {
    if (key == name) return value;
  }
  return Value::Undefined{std::string(name)};
}

const List* Value::list() const {
  const auto* list = std::get_if<std::shared_ptr<const List>>(&data_);
  return list == nullptr ? nullptr : list->get();
}

Dict* Value::dict() const {
  const auto* dict = std::get_if<std::shared_ptr<Dict>>(&data_);
  return dict == nullptr ? nullptr : dict->get();
}

const Callable* Value::callable() const {
  const auto* callable = std::get_if<std::shared_ptr<Callable>>(&data_);
  return callable == nullptr ? nullptr : callable->get();
}

bool Value::truth() const {
  if (const auto number = number_of(*this)) return *number != 0;
  if (text() != nullptr) return !text()->empty();
  if (list() != nullptr) return !list()->empty();
  if (dict() != nullptr) return dict()->is_namespace || !dict()->entries.empty();
  return callable() != nullptr;
}

std::string Value::str() const {
  if (is_undefined()) return "";
  return text() != nullptr ? *text() : repr();
}

std::string Value::repr() const {
  if (is_undefined()) return "Undefined";
  if (is_none()) return "None";
  if (boolean() != nullptr) return *boolean() ? "True" : "False";
  if (integer() != nullptr) return std::to_string(*integer());
  if (real() != nullptr) return text_of_real(*real());
  if (text() != nullptr) return quoted(*text());
  std::string result;
  const auto separate = [&] { result += result.size() > 1 ? ", " : ""; };
  if (list() != nullptr) {
    result = "[";
    for (const Value& value : *list()) {
      separate();
      result += value.repr();
    }
    return result + "]";
  }
  if (dict() == nullptr) return "<" + callable()->name + ">";
  result = "{";
  for (const auto& [key, value] : dict()->entries) {
    separate();
    result += quoted(key) + ": " + value.repr();
  }
  return result + "}";
}

std::string Value::type() const {
  if (is_undefined()) {
    const std::string& name = std::get<Undefined>(data_).name;
    return name.empty() ? "something undefined" : "\"" + name + "\", which is undefined";
  }
  if (is_none()) return "none";
  if (boolean() != nullptr) return "a boolean";
  if (integer() != nullptr || real() != nullptr) return "a number";
  if (text() != nullptr) return "a string";
  if (list() != nullptr) return "a list";
  return dict() != nullptr ? "a mapping" : "a function";
}

bool operator==(const Value& a, const Value& b) {
  const auto left = number_of(a);
  const auto right = number_of(b);
  if (left && right) return *left == *right;
  if (a.text() != nullptr && b.text() != nullptr) return *a.text() == *b.text();
  if (a.list() != nullptr && b.list() != nullptr) return equal_lists(*a.list(), *b.list());
  if (a.dict() != nullptr && b.dict() != nullptr) return equal_dicts(*a.dict(), *b.dict());
  return (a.is_none() && b.is_none()) || (a.is_undefined() && b.is_undefined());
}

Value value_of(const nlohmann::ordered_json& json) {
  if (json.is_null()) return Value::None{};
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_number_integer()) return json.get<std::int64_t>();
  if (json.is_number()) return json.get<double>();
  if (json.is_string()) return json.get<std::string>();
  if (json.is_array()) {
    List list;
    for (const auto& entry : json) list.push_back(value_of(entry));
    return list;
  }
  Dict dict;
  for (const auto& [key, value] : json.items()) dict.set(key, value_of(value));
  return dict;
}

std::vector<std::string_view> characters_of(std::string_view text) {
  std::vector<std::string_view> characters;
  while (!text.empty()) {
    std::string_view rest = text;
    take_character(rest);
    characters.push_back(text.substr(0, text.size() - rest.size()));
    text = rest;
  }
  return characters;
}

}  // namespace regroup::models::chat
