#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>
#include <unordered_map>

#include "models/text/chat/lexer.hpp"
#include "models/text/chat/operations.hpp"
#include "models/text/chat/text_methods.hpp"

namespace regroup::models::chat {
namespace {

/// A filter's input.
struct Input {
  const Value& value;
  const Arguments& arguments;
  int line;

  List elements() const { return elements_of(value, line); }
  [[noreturn]] void refuse(const std::string& expected) const {
    refuse_template(line, "chat template cannot be applied", expected, value.type());
  }
};
using Filter = Value (*)(const Input&);

std::int64_t size_of(const Input& in) {
  if (in.value.text() != nullptr) {
    return static_cast<std::int64_t>(characters_of(*in.value.text()).size());
  }
  return static_cast<std::int64_t>(in.elements().size());
}

/// `value.a.b` by a path "a.b".
Value part_of(const Value& value, const std::string& path, int line) {
  const std::size_t dot = path.find('.');
  if (value.is_undefined()) return value;
  const std::string key = path.substr(0, dot);
  const bool index =
      !key.empty() && key.find_first_not_of("0123456789") == key.npos && key.size() < 10;
  const Value part = item(value, index ? Value(std::int64_t{std::stoi(key)}) : Value(key), line);
  return dot == path.npos ? part : part_of(part, path.substr(dot + 1), line);
}

/// The arguments behind the first `count`.
Arguments behind(const Arguments& arguments, std::size_t count) {
  Arguments rest = arguments;
  const auto skipped = static_cast<std::ptrdiff_t>(std::min(count, rest.values.size()));
  rest.values.erase(rest.values.begin(), rest.values.begin() + skipped);
  return rest;
}

/// Those elements that pass, or do not pass, a test, by themselves or by an attribute.
Value selected(const Input& in, bool by_attribute, bool wanted) {
  const std::size_t names = by_attribute ? 1 : 0;
  const Value test = in.arguments.get(names, "");
  const std::string path = by_attribute ? in.arguments.get(0, "").str() : "";
  List kept;
  for (const Value& element : in.elements()) {
    const Value value = by_attribute ? part_of(element, path, in.line) : element;
    const bool passes =
        test.text() == nullptr
            ? value.truth()
            : apply_test(*test.text(), value, behind(in.arguments, names + 1), in.line);
    if (passes == wanted) kept.push_back(element);
  }
  return kept;
}

Value mapped(const Input& in) {
  const Value attribute = in.arguments.get(1'000, "attribute");
  const Value usual = in.arguments.get(1'000, "default");
  List results;
  for (const Value& element : in.elements()) {
    if (!attribute.is_undefined()) {
      const Value part = part_of(element, attribute.str(), in.line);
      results.push_back(part.is_undefined() ? usual : part);
    } else {
      results.push_back(
          apply_filter(in.arguments.get(0, "").str(), element, behind(in.arguments, 1), in.line));
    }
  }
  return results;
}

Value joined_text(const Input& in) {
  const std::string separator = in.arguments.get(0, "d").str();
  const Value attribute = in.arguments.get(1, "attribute");
  std::string text;
  bool first = true;
  for (const Value& element : in.elements()) {
    if (!first) text += separator;
    first = false;
    text += (attribute.is_undefined() ? element : part_of(element, attribute.str(), in.line)).str();
  }
  return text;
}

Value defaulted(const Input& in) {
  const Value usual = in.arguments.get(0, "default_value");
  const bool replaces_false = in.arguments.get(1, "boolean").truth();
  const bool missing = in.value.is_undefined() || (replaces_false && !in.value.truth());
  if (!missing) return in.value;
  return usual.is_undefined() ? Value("") : usual;
}

/// Whole, as Python's int() reads it, else the argument, else 0.
Value whole_number(const Input& in) {
  const Value usual = in.arguments.get(0, "default");
  if (in.value.boolean() != nullptr) return std::int64_t{*in.value.boolean() ? 1 : 0};
  if (in.value.integer() != nullptr) return in.value;
  if (in.value.real() != nullptr && std::abs(*in.value.real()) < 9e18) {
    return static_cast<std::int64_t>(*in.value.real());
  }
  if (in.value.text() != nullptr) {
    const std::string digits = stripped(*in.value.text(), "", true, true);
    std::int64_t number = 0;
    const char* end = digits.data() + digits.size();
    const auto result = std::from_chars(digits.data(), end, number);
    if (result.ec == std::errc() && result.ptr == end) return number;
  }
  return usual.is_undefined() ? Value(std::int64_t{0}) : usual;
}

/// Lines but the first (and, unless asked for, empty ones) begin with blanks.
Value indented(const Input& in) {
  const Value width = in.arguments.get(0, "width");
  const bool first = in.arguments.get(1, "first").truth();
  const bool blank = in.arguments.get(2, "blank").truth();
  const std::string indent =
      width.text() != nullptr ? *width.text()
                              : std::string(width.integer() == nullptr
                                                ? 4
                                                : static_cast<std::size_t>(std::clamp<std::int64_t>(
                                                      *width.integer(), 0, 1'000)),
                                            ' ');
  std::string text;
  const List lines = split_at(in.value.str(), "\n", -1, false);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) text += '\n';
    const bool skipped = i == 0 ? !first : !blank && lines[i].text()->empty();
    text += (skipped ? "" : indent) + *lines[i].text();
  }
  return text;
}

Value sorted(const Input& in) {
  List elements = in.elements();
  const bool reverse = in.arguments.get(0, "reverse").truth();
  const Value attribute = in.arguments.get(2, "attribute");
  const auto key = [&](const Value& element) {
    const Value part =
        attribute.is_undefined() ? element : part_of(element, attribute.str(), in.line);
    return part.text() == nullptr ? part : Value(lower_case_of(*part.text()));
  };
  std::stable_sort(elements.begin(), elements.end(), [&](const Value& a, const Value& b) {
    return reverse ? compare("<", key(b), key(a), in.line) : compare("<", key(a), key(b), in.line);
  });
  return elements;
}

Value sorted_pairs(const Input& in) {
  if (in.value.dict() == nullptr) in.refuse("a mapping");
  List pairs;
  for (const auto& [key, value] : in.value.dict()->entries) pairs.push_back(List{key, value});
  std::stable_sort(pairs.begin(), pairs.end(), [](const Value& a, const Value& b) {
    return lower_case_of(*(*a.list())[0].text()) < lower_case_of(*(*b.list())[0].text());
  });
  return pairs;
}

Value unique(const Input& in) {
  List kept;
  for (const Value& element : in.elements()) {
    if (std::find(kept.begin(), kept.end(), element) == kept.end()) kept.push_back(element);
  }
  return kept;
}

Value reversed(const Input& in) {
  List elements = in.elements();
  std::reverse(elements.begin(), elements.end());
  if (in.value.text() == nullptr) return elements;
  std::string text;
  for (const Value& element : elements) text += *element.text();
  return text;
}

Value extreme(const Input& in, const char* operation) {
  const List elements = in.elements();
  if (elements.empty()) return Value();
  Value best = elements[0];
  for (const Value& element : elements) {
    if (compare(operation, element, best, in.line)) best = element;
  }
  return best;
}

Value as_json(const Input& in) {
  for (const auto& [name, value] : in.arguments.named) {
    const bool usual = name == "indent" || (name == "ensure_ascii" && !value.truth()) ||
                       (name == "sort_keys" && !value.truth());
    if (!usual) {
      refuse_template(in.line, "chat template is not supported", "tojson with indent", name);
    }
  }
  const Value indent = in.arguments.get(1, "indent");
  return json_of(in.value, indent.integer() == nullptr ? -1 : *indent.integer());
}

const std::unordered_map<std::string, Filter>& filters() {
  static const std::unordered_map<std::string, Filter> kFilters = {
      {"trim",
       [](const Input& in) -> Value {
         const Value set = in.arguments.get(0, "chars");
         return stripped(in.value.str(), set.text() == nullptr ? "" : *set.text(), true, true);
       }},
      {"upper", [](const Input& in) -> Value { return upper_case(in.value.str()); }},
      {"lower", [](const Input& in) -> Value { return lower_case_of(in.value.str()); }},
      {"title", [](const Input& in) -> Value { return title_case(in.value.str()); }},
      {"capitalize", [](const Input& in) -> Value { return capitalized(in.value.str()); }},
      {"string", [](const Input& in) -> Value { return in.value.str(); }},
      {"safe", [](const Input& in) { return in.value; }},
      {"length", [](const Input& in) -> Value { return size_of(in); }},
      {"count", [](const Input& in) -> Value { return size_of(in); }},
      {"list", [](const Input& in) -> Value { return in.elements(); }},
      {"first",
       [](const Input& in) { return in.elements().empty() ? Value() : in.elements().front(); }},
      {"last",
       [](const Input& in) { return in.elements().empty() ? Value() : in.elements().back(); }},
      {"items",
       [](const Input& in) -> Value {
         if (in.value.is_undefined()) return List();
         if (in.value.dict() == nullptr) in.refuse("a mapping");
         return method(in.value, "items", in.line).callable()->call({});
       }},
      {"replace",
       [](const Input& in) -> Value {
         const Value count = in.arguments.get(2, "count");
         return with_replaced(in.value.str(), in.arguments.get(0, "old").str(),
                              in.arguments.get(1, "new").str(), count.integer());
       }},
      {"join", joined_text},
      {"default", defaulted},
      {"d", defaulted},
      {"int", whole_number},
      {"float",
       [](const Input& in) -> Value {
         const Value number = whole_number(in);
         if (in.value.real() != nullptr) return in.value;
         if (number.integer() == nullptr || in.value.text() != nullptr) in.refuse("a number");
         return static_cast<double>(*number.integer());
       }},
      {"abs",
       [](const Input& in) {
         const bool negative = compare("<", in.value, std::int64_t{0}, in.line);
         return negative ? binary("-", std::int64_t{0}, in.value, in.line) : in.value;
       }},
      {"indent", indented},
      {"tojson", as_json},
      {"map", mapped},
      {"select", [](const Input& in) { return selected(in, false, true); }},
      {"reject", [](const Input& in) { return selected(in, false, false); }},
      {"selectattr", [](const Input& in) { return selected(in, true, true); }},
      {"rejectattr", [](const Input& in) { return selected(in, true, false); }},
      {"sort", sorted},
      {"dictsort", sorted_pairs},
      {"unique", unique},
      {"reverse", reversed},
      {"min", [](const Input& in) { return extreme(in, "<"); }},
      {"max", [](const Input& in) { return extreme(in, ">"); }},
      {"sum", [](const Input& in) {
         Value total = std::int64_t{0};
         for (const Value& element : in.elements()) total = binary("+", total, element, in.line);
         return total;
       }}};
  return kFilters;
}

}  // namespace

bool has_filter(std::string_view name) {
  return filters().contains(std::string(name));
}

Value apply_filter(const std::string& name, const Value& value, const Arguments& arguments,
                   int line) {
  const auto found = filters().find(name);
  if (found == filters().end()) {
    refuse_template(line, "chat template is not supported",
                    "filters such as trim, tojson, join, default, selectattr", "filter " + name);
  }
  return found->second({value, arguments, line});
}

}  // namespace regroup::models::chat
