#include "models/files/json_fields.hpp"

#include <fmt/format.h>

#include "models/files/json_file.hpp"
#include "models/files/printable.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

using Json = nlohmann::json;

constexpr std::int64_t kLargestCount = std::numeric_limits<std::int64_t>::max();

[[noreturn]] void refuse(const Json& value, const std::string& where, const std::string& expected) {
  throw InputError({.what = "field has the wrong value",
                    .where = where,
                    .expected = expected,
                    .found = describe_json(value)});
}

/// The field, or null when it is absent or JSON's null.
const Json* find(const Json& object, std::string_view key, const std::string& where) {
  require_object(object, where);
  const auto field = object.find(key);
  return field == object.end() || field->is_null() ? nullptr : &*field;
}

const Json& require(const Json& object, std::string_view key, const std::string& where) {
  if (const Json* field = find(object, key, where)) return *field;
  throw InputError({.what = "field is missing",
                    .where = field_of(where, key),
                    .expected = "a value",
                    .found = object.contains(key) ? "null" : "no such field"});
}

/// Whether an integer of either JSON flavour lies in [min, max]; beyond int64 it does not.
bool in_range(const Json& value, std::int64_t min, std::int64_t max) {
  if (value.is_number_unsigned()) {
    const auto number = value.get<std::uint64_t>();
    if (number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return false;
  }
  const auto number = value.get<std::int64_t>();
  return number >= min && number <= max;
}

double checked_number(const Json& value, const std::string& where, double min, double max) {
  const std::string expected =
      min == std::numeric_limits<double>::lowest() && max == std::numeric_limits<double>::max()
          ? "a number"
          : fmt::format("a number from {:g} to {:g}", min, max);
  if (!value.is_number()) refuse(value, where, expected);
  const auto number = value.get<double>();
  if (!(number >= min && number <= max)) refuse(value, where, expected);
  return number;
}

bool checked_bool(const Json& value, const std::string& where) {
  if (!value.is_boolean()) refuse(value, where, "true or false");
  return value.get<bool>();
}

std::string checked_string(const Json& value, const std::string& where) {
  if (!value.is_string()) refuse(value, where, "a string");
  return value.get<std::string>();
}

const Json& checked_object(const Json& value, const std::string& where) {
  if (!value.is_object()) refuse(value, where, "an object");
  return value;
}

const Json& checked_array(const Json& value, const std::string& where) {
  if (!value.is_array()) refuse(value, where, "an array");
  return value;
}

}  // namespace

std::string field_of(const std::string& where, std::string_view key) {
  return fmt::format("{}, field \"{}\"", where, printable(key));
}

std::int64_t checked_int(const Json& value, const std::string& where, std::int64_t min,
                         std::int64_t max) {
  if (!value.is_number_integer() || !in_range(value, min, max)) {
    refuse(value, where, fmt::format("an integer from {} to {}", min, max));
  }
  return value.get<std::int64_t>();
}

std::int64_t required_int(const Json& object, std::string_view key, const std::string& where,
                          std::int64_t min, std::int64_t max) {
  return checked_int(require(object, key, where), field_of(where, key), min, max);
}

std::optional<std::int64_t> optional_int(const Json& object, std::string_view key,
                                         const std::string& where, std::int64_t min,
                                         std::int64_t max) {
  const Json* field = find(object, key, where);
  if (field == nullptr) return std::nullopt;
  return checked_int(*field, field_of(where, key), min, max);
}

double required_number(const Json& object, std::string_view key, const std::string& where,
                       double min, double max) {
  return checked_number(require(object, key, where), field_of(where, key), min, max);
}

std::optional<double> optional_number(const Json& object, std::string_view key,
                                      const std::string& where, double min, double max) {
  const Json* field = find(object, key, where);
  if (field == nullptr) return std::nullopt;
  return checked_number(*field, field_of(where, key), min, max);
}

bool required_bool(const Json& object, std::string_view key, const std::string& where) {
  return checked_bool(require(object, key, where), field_of(where, key));
}

std::optional<bool> optional_bool(const Json& object, std::string_view key,
                                  const std::string& where) {
  const Json* field = find(object, key, where);
  if (field == nullptr) return std::nullopt;
  return checked_bool(*field, field_of(where, key));
}

std::string required_string(const Json& object, std::string_view key, const std::string& where) {
  return checked_string(require(object, key, where), field_of(where, key));
}

std::optional<std::string> optional_string(const Json& object, std::string_view key,
                                           const std::string& where) {
  const Json* field = find(object, key, where);
  if (field == nullptr) return std::nullopt;
  return checked_string(*field, field_of(where, key));
}

const Json& required_object(const Json& object, std::string_view key, const std::string& where) {
  return checked_object(require(object, key, where), field_of(where, key));
}

const Json* optional_object(const Json& object, std::string_view key, const std::string& where) {
  const Json* field = find(object, key, where);
  return field == nullptr ? nullptr : &checked_object(*field, field_of(where, key));
}

const Json& required_array(const Json& object, std::string_view key, const std::string& where) {
  return checked_array(require(object, key, where), field_of(where, key));
}

const Json* optional_array(const Json& object, std::string_view key, const std::string& where) {
  const Json* field = find(object, key, where);
  return field == nullptr ? nullptr : &checked_array(*field, field_of(where, key));
}

std::vector<std::string> required_strings(const Json& object, std::string_view key,
                                          const std::string& where) {
  std::vector<std::string> strings;
  for (const Json& element : required_array(object, key, where)) {
    strings.push_back(checked_string(
        element, fmt::format("{}, element {}", field_of(where, key), strings.size())));
  }
  return strings;
}

std::uint64_t required_count(const Json& object, std::string_view key, const std::string& where) {
  return static_cast<std::uint64_t>(required_int(object, key, where, 0, kLargestCount));
}

std::optional<std::uint64_t> optional_count(const Json& object, std::string_view key,
                                            const std::string& where) {
  const auto count = optional_int(object, key, where, 0, kLargestCount);
  return count ? std::optional(static_cast<std::uint64_t>(*count)) : std::nullopt;
}

void refuse_field(const std::string& where, std::string_view key, const std::string& expected,
                  const std::string& found) {
  throw InputError({.what = "field has the wrong value",
                    .where = field_of(where, key),
                    .expected = expected,
                    .found = found});
}

void require_format(const Json& object, const char* format, const std::string& where) {
  const std::string found = required_string(object, "format", where);
  if (found != format) refuse_field(where, "format", format, printable(found));
  const std::uint64_t version = required_count(object, "version", where);
  if (version != 1) refuse_field(where, "version", "1", std::to_string(version));
}

}  // namespace regroup::models
