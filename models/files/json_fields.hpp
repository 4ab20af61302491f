#pragma once

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
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

/// One JSON object whose fields are taken out with their type checked, so that every complaint
/// names the file and the field. Holds a reference: the document must outlive it.
class JsonFields {
 public:
  /// `where` names the object in messages: "RUN/front.json, points[3]". Throws InputError if
  /// `value` is not an object.
  JsonFields(const nlohmann::json& value, std::string where);

  std::string text(const char* name) const;
  std::optional<std::string> optional_text(const char* name) const;
  double number(const char* name) const;
  std::optional<double> optional_number(const char* name) const;
  std::uint64_t count(const char* name) const;
  std::optional<std::uint64_t> optional_count(const char* name) const;
  std::optional<bool> optional_flag(const char* name) const;
  JsonFields object(const char* name) const;
  std::optional<JsonFields> optional_object(const char* name) const;
  const nlohmann::json& array(const char* name) const;
  /// nullptr if the field is absent or null.
  const nlohmann::json* find(const char* name) const;

  const nlohmann::json& value() const { return *value_; }
  const std::string& where() const { return where_; }

  /// Throws InputError about field `name` of this object.
  [[noreturn]] void refuse(const char* name, const std::string& expected,
                           const std::string& found) const;

 private:
  const nlohmann::json* value_;
  std::string where_;
};

/// Throws InputError unless the object says `"format": format, "version": 1`.
void check_format(const JsonFields& document, const char* format);

}  // namespace regroup::models
