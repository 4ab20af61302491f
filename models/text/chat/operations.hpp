#pragma once

#include <string>
#include <string_view>

#include "models/text/chat/value.hpp"

namespace regroup::models::chat {

// What values do, as Jinja and Python define it. All throw InputError, naming the line, for what is
// not known or does not fit.

/// `+ - * / // % ** ~`.
Value binary(std::string_view operation, const Value& a, const Value& b, int line);
/// `== != < <= > >= in`.
bool compare(std::string_view operation, const Value& a, const Value& b, int line);
/// `value | name(arguments)`.
Value apply_filter(const std::string& name, const Value& value, const Arguments& arguments,
                   int line);
/// `value is name(arguments)`.
bool apply_test(const std::string& name, const Value& value, const Arguments& arguments, int line);
/// `value.name(arguments)` of a string or a mapping; undefined if it has no such method.
Value method(const Value& value, const std::string& name, int line);
/// `value[key]` and `value.key`; undefined where there is none.
Value item(const Value& value, const Value& key, int line);
/// `value[from:to:step]`; undefined bounds are those of the value.
Value slice(const Value& value, const Value& from, const Value& to, const Value& step, int line);
/// What a loop goes through: elements of a list, characters, keys.
List elements_of(const Value& value, int line);
/// Python's `json.dumps` without escapes for characters beyond ASCII.
std::string json_of(const Value& value, std::int64_t indent);
/// Whether a filter, or a test, of that name is known.
bool has_filter(std::string_view name);
bool has_test(std::string_view name);

}  // namespace regroup::models::chat
