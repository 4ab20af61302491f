#include <algorithm>
#include <array>

#include "models/text/chat/lexer.hpp"
#include "models/text/chat/operations.hpp"
#include "models/text/chat/text_methods.hpp"

namespace regroup::models::chat {
namespace {

using Call = std::function<Value(const Arguments&)>;

std::string text_argument(const Arguments& arguments, std::size_t i, const std::string& method_name,
                          int line) {
  const Value value = arguments.get(i, "");
  if (value.text() != nullptr) return *value.text();
  refuse_template(line, "chat template cannot be applied", method_name + " with a string",
                  value.type());
}

/// Whether it begins, or ends, with one of the texts of an argument.
bool has_any(const Value& affix, const std::string& text, bool at_end, int line) {
  List all = affix.list() != nullptr ? *affix.list() : List{affix};
  return std::any_of(all.begin(), all.end(), [&](const Value& value) {
    if (value.text() == nullptr) {
      refuse_template(line, "chat template cannot be applied", "a string", value.type());
    }
    return at_end ? text.ends_with(*value.text()) : text.starts_with(*value.text());
  });
}

Value split_method(const std::string& text, const Arguments& arguments, bool from_right, int line) {
  const Value separator = arguments.get(0, "sep");
  const Value most = arguments.get(1, "maxsplit");
  const std::int64_t count = most.integer() == nullptr ? -1 : *most.integer();
  if (separator.is_undefined() || separator.is_none()) return split_at_spaces(text, count, line);
  if (separator.text() == nullptr || separator.text()->empty()) {
    refuse_template(line, "chat template cannot be applied", "split at a string", separator.type());
  }
  return split_at(text, *separator.text(), count, from_right);
}

Call text_method(const std::string& text, const std::string& name, int line) {
  const auto one = [&](std::string (*change)(std::string_view)) -> Call {
    return [=](const Arguments&) -> Value { return change(text); };
  };
  if (name == "upper") return one(upper_case);
  if (name == "lower") return one(lower_case_of);
  if (name == "title") return one(title_case);
  if (name == "capitalize") return one(capitalized);
  if (name == "strip" || name == "lstrip" || name == "rstrip") {
    return [=](const Arguments& arguments) -> Value {
      const Value set = arguments.get(0, "chars");
      return stripped(text, set.text() == nullptr ? "" : *set.text(), name != "rstrip",
                      name != "lstrip");
    };
  }
  if (name == "split" || name == "rsplit") {
    return [=](const Arguments& a) { return split_method(text, a, name == "rsplit", line); };
  }
  if (name == "startswith" || name == "endswith") {
    return [=](const Arguments& a) -> Value {
      return has_any(a.get(0, ""), text, name == "endswith", line);
    };
  }
  if (name == "replace") {
    return [=](const Arguments& a) -> Value {
      return with_replaced(text, text_argument(a, 0, name, line), text_argument(a, 1, name, line),
                           a.get(2, "count").integer());
    };
  }
  if (name == "find") {
    return [=](const Arguments& a) -> Value {
      const std::size_t at = text.find(text_argument(a, 0, name, line));
      if (at == text.npos) return std::int64_t{-1};
      return static_cast<std::int64_t>(characters_of(text.substr(0, at)).size());
    };
  }
  if (name == "count") {
    return [=](const Arguments& a) -> Value {
      return count_of(text, text_argument(a, 0, name, line));
    };
  }
  if (name == "join") {
    return [=](const Arguments& a) {
      return apply_filter("join", a.get(0, ""), {{text}, {}}, line);
    };
  }
  return nullptr;
}

Value pairs_of(const Dict& dict) {
  List pairs;
  for (const auto& [key, value] : dict.entries) pairs.push_back(List{key, value});
  return pairs;
}

Call dict_method(const Value& value, const std::string& name) {
  if (name == "items") return [=](const Arguments&) { return pairs_of(*value.dict()); };
  if (name == "keys") {
    return [=](const Arguments&) -> Value {
      List keys;
      for (const auto& entry : value.dict()->entries) keys.push_back(entry.first);
      return keys;
    };
  }
  if (name == "values") {
    return [=](const Arguments&) -> Value {
      List values;
      for (const auto& entry : value.dict()->entries) values.push_back(entry.second);
      return values;
    };
  }
  if (name == "get") {
    return [=](const Arguments& arguments) -> Value {
      const Value key = arguments.get(0, "key");
      const Value* found = key.text() == nullptr ? nullptr : value.dict()->find(*key.text());
      if (found != nullptr) return *found;
      const Value usual = arguments.get(1, "default");
      return usual.is_undefined() ? Value(Value::None{}) : usual;
    };
  }
  return nullptr;
}

}  // namespace

Value method(const Value& value, const std::string& name, int line) {
  Call call;
  if (value.text() != nullptr) call = text_method(*value.text(), name, line);
  if (value.dict() != nullptr) call = dict_method(value, name);
  if (!call) return Value::Undefined{name};
  return Callable{name, std::move(call)};
}

}  // namespace regroup::models::chat
