#pragma once

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Checked access to the fields of a JSON object that a user's file holds.
///
/// `object` is the object, `where` says in messages what it is ("config.json"). A `required_…`
/// function throws InputError when the field is absent or null; an `optional_…` function gives
/// nothing then. Both throw InputError, naming `where`, the field, what was expected and what was
/// found, when `object` is no object or the field has another type or lies outside its limits.
/// Example: required_int({{"layers", -1}}, "layers", "config.json", 1, 1000) throws
///   "field has the wrong value / where: config.json, field "layers" / expected: an integer from 1
///   to 1000 / found: -1".
namespace regroup::models {

/// A JSON integer from `min` to `max`, both included; 8.0 and 1e300 are no integers.
std::int64_t required_int(const nlohmann::json& object, std::string_view key,
                          const std::string& where, std::int64_t min, std::int64_t max);
std::optional<std::int64_t> optional_int(const nlohmann::json& object, std::string_view key,
                                         const std::string& where, std::int64_t min,
                                         std::int64_t max);

/// A JSON number, integer or not, from `min` to `max`, both included; never NaN or infinite.
double required_number(const nlohmann::json& object, std::string_view key, const std::string& where,
                       double min = std::numeric_limits<double>::lowest(),
                       double max = std::numeric_limits<double>::max());
std::optional<double> optional_number(const nlohmann::json& object, std::string_view key,
                                      const std::string& where,
                                      double min = std::numeric_limits<double>::lowest(),
                                      double max = std::numeric_limits<double>::max());

bool required_bool(const nlohmann::json& object, std::string_view key, const std::string& where);
std::optional<bool> optional_bool(const nlohmann::json& object, std::string_view key,
                                  const std::string& where);

std::string required_string(const nlohmann::json& object, std::string_view key,
                            const std::string& where);
std::optional<std::string> optional_string(const nlohmann::json& object, std::string_view key,
                                           const std::string& where);

/// The field itself, which lives in `object`; null for an absent optional one.
const nlohmann::json& required_object(const nlohmann::json& object, std::string_view key,
                                      const std::string& where);
const nlohmann::json* optional_object(const nlohmann::json& object, std::string_view key,
                                      const std::string& where);
const nlohmann::json& required_array(const nlohmann::json& object, std::string_view key,
                                     const std::string& where);
const nlohmann::json* optional_array(const nlohmann::json& object, std::string_view key,
                                     const std::string& where);

/// The elements of an array that holds strings alone; absent or null is refused.
std::vector<std::string> required_strings(const nlohmann::json& object, std::string_view key,
                                          const std::string& where);

/// An integer that is not a field, an array's element for instance; `where` names it.
std::int64_t checked_int(const nlohmann::json& value, const std::string& where, std::int64_t min,
                         std::int64_t max);

/// `config.json, field "layers"`: the `where` of a field, for messages about it.
std::string field_of(const std::string& where, std::string_view key);

/// A count: an integer from 0 on.
std::uint64_t required_count(const nlohmann::json& object, std::string_view key,
                             const std::string& where);
std::optional<std::uint64_t> optional_count(const nlohmann::json& object, std::string_view key,
                                            const std::string& where);

/// Throws InputError about a field whose value is not what was expected.
[[noreturn]] void refuse_field(const std::string& where, std::string_view key,
                               const std::string& expected, const std::string& found);

/// Throws InputError unless the object says `"format": format, "version": 1`.
void require_format(const nlohmann::json& object, const char* format, const std::string& where);

}  // namespace regroup::models
