#include <string>
#include <unordered_map>

#include "models/text/chat/lexer.hpp"
#include "models/text/chat/operations.hpp"
#include "models/text/chat/text_methods.hpp"

namespace regroup::models::chat {
namespace {

struct Tested {
  const Value& value;
  const Arguments& arguments;
  int line;

  bool compares(const char* operation) const {
    return compare(operation, value, arguments.get(0, ""), line);
  }
  bool is_number() const { return value.integer() != nullptr || value.real() != nullptr; }
  bool is_sequence() const {
    return value.list() != nullptr || value.text() != nullptr || value.dict() != nullptr;
  }
  bool leaves(const Value& divisor, std::int64_t rest) const {
    return binary("%", value, divisor, line) == Value(rest);
  }
};
using Test = bool (*)(const Tested&);

const std::unordered_map<std::string, Test>& tests() {
  static const std::unordered_map<std::string, Test> kTests = {
      {"defined", [](const Tested& t) { return !t.value.is_undefined(); }},
      {"undefined", [](const Tested& t) { return t.value.is_undefined(); }},
      {"none", [](const Tested& t) { return t.value.is_none(); }},
      {"string", [](const Tested& t) { return t.value.text() != nullptr; }},
      {"mapping", [](const Tested& t) { return t.value.dict() != nullptr; }},
      {"iterable", [](const Tested& t) { return t.is_sequence() || t.value.is_undefined(); }},
      {"sequence", [](const Tested& t) { return t.is_sequence() || t.value.is_undefined(); }},
      {"number", [](const Tested& t) { return t.is_number() || t.value.boolean() != nullptr; }},
      {"integer", [](const Tested& t) { return t.value.integer() != nullptr; }},
      {"float", [](const Tested& t) { return t.value.real() != nullptr; }},
      {"boolean", [](const Tested& t) { return t.value.boolean() != nullptr; }},
      {"true", [](const Tested& t) { return t.value.boolean() != nullptr && *t.value.boolean(); }},
      {"false",
       [](const Tested& t) { return t.value.boolean() != nullptr && !*t.value.boolean(); }},
      {"callable", [](const Tested& t) { return t.value.callable() != nullptr; }},
      {"odd", [](const Tested& t) { return t.leaves(std::int64_t{2}, 1); }},
      {"even", [](const Tested& t) { return t.leaves(std::int64_t{2}, 0); }},
      {"divisibleby", [](const Tested& t) { return t.leaves(t.arguments.get(0, "num"), 0); }},
      {"equalto", [](const Tested& t) { return t.compares("=="); }},
      {"eq", [](const Tested& t) { return t.compares("=="); }},
      {"==", [](const Tested& t) { return t.compares("=="); }},
      {"sameas", [](const Tested& t) { return t.compares("=="); }},
      {"ne", [](const Tested& t) { return t.compares("!="); }},
      {"!=", [](const Tested& t) { return t.compares("!="); }},
      {"lt", [](const Tested& t) { return t.compares("<"); }},
      {"lessthan", [](const Tested& t) { return t.compares("<"); }},
      {"<", [](const Tested& t) { return t.compares("<"); }},
      {"le", [](const Tested& t) { return t.compares("<="); }},
      {"<=", [](const Tested& t) { return t.compares("<="); }},
      {"gt", [](const Tested& t) { return t.compares(">"); }},
      {"greaterthan", [](const Tested& t) { return t.compares(">"); }},
      {">", [](const Tested& t) { return t.compares(">"); }},
      {"ge", [](const Tested& t) { return t.compares(">="); }},
      {">=", [](const Tested& t) { return t.compares(">="); }},
      {"in", [](const Tested& t) { return t.compares("in"); }},
      {"lower", [](const Tested& t) { return lower_case_of(t.value.str()) == t.value.str(); }},
      {"upper", [](const Tested& t) { return upper_case(t.value.str()) == t.value.str(); }},
      {"filter", [](const Tested& t) { return has_filter(t.value.str()); }},
      {"test", [](const Tested& t) { return has_test(t.value.str()); }}};
  return kTests;
}

}  // namespace

bool has_test(std::string_view name) {
  return tests().contains(std::string(name));
}

bool apply_test(const std::string& name, const Value& value, const Arguments& arguments, int line) {
  const auto found = tests().find(name);
  if (found == tests().end()) {
    refuse_template(line, "chat template is not supported",
                    "tests such as defined, none, string, mapping, equalto", "test " + name);
  }
  return found->second({value, arguments, line});
}

}  // namespace regroup::models::chat
