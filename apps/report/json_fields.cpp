#include "apps/report/json_fields.hpp"

#include <fmt/format.h>

#include <cmath>
#include <fstream>
#include <iterator>

#include "search/error.hpp"

namespace regroup::apps {

using nlohmann::json;

std::string read_text_file(const std::filesystem::path& file) {
  std::error_code ignored;
  std::ifstream stream(file, std::ios::binary);
  if (!stream || std::filesystem::is_directory(file, ignored)) {
    throw InputError({.what = "file cannot be read",
                      .where = file.string(),
                      .expected = "a readable file",
                      .found = std::filesystem::exists(file, ignored)
                                   ? "something that cannot be opened as a file"
                                   : "nothing there"});
  }
  std::string text{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  if (stream.bad()) throw InputError({.what = "file cannot be read", .where = file.string()});
  return text;
}

json read_json_file(const std::filesystem::path& file) {
  const std::string text = read_text_file(file);
  try {
    return json::parse(text);
  } catch (const json::exception& error) {
    throw InputError({.what = "file is not valid JSON",
                      .where = file.string(),
                      .expected = "a JSON document",
                      .found = error.what()});
  }
}

std::string shown(const json& value) {
  constexpr std::size_t kLongest = 60;
  if (value.is_structured()) return fmt::format("{} of {}", value.type_name(), value.size());
  std::string text = value.dump(-1, ' ', true, json::error_handler_t::replace);
  if (text.size() > kLongest) text = text.substr(0, kLongest) + "…";
  return text;
}

JsonFields::JsonFields(const json& value, std::string where)
    : value_(&value), where_(std::move(where)) {
  if (!value.is_object()) {
    throw InputError({.what = "value has the wrong type",
                      .where = where_,
                      .expected = "an object",
                      .found = shown(value)});
  }
}

void JsonFields::refuse(const char* name, const std::string& expected,
                        const std::string& found) const {
  throw InputError({.what = fmt::format("field \"{}\" is missing or not what it should be", name),
                    .where = where_,
                    .expected = expected,
                    .found = found});
}

const json* JsonFields::find(const char* name) const {
  const auto found = value_->find(name);
  return found == value_->end() || found->is_null() ? nullptr : &*found;
}

const json& JsonFields::required(const char* name, const char* expected) const {
  const json* value = find(name);
  if (value == nullptr) refuse(name, expected, value_->contains(name) ? "null" : "no such field");
  return *value;
}

std::string JsonFields::text(const char* name) const {
  required(name, "a string");
  return *optional_text(name);
}

std::optional<std::string> JsonFields::optional_text(const char* name) const {
  const json* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_string()) refuse(name, "a string", shown(*value));
  return value->get<std::string>();
}

double JsonFields::number(const char* name) const {
  required(name, "a number");
  return *optional_number(name);
}

std::optional<double> JsonFields::optional_number(const char* name) const {
  const json* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number()) refuse(name, "a number", shown(*value));
  const auto number = value->get<double>();
  if (!std::isfinite(number)) refuse(name, "a finite number", shown(*value));
  return number;
}

std::uint64_t JsonFields::count(const char* name) const {
  required(name, "a whole number");
  return *optional_count(name);
}

std::optional<std::uint64_t> JsonFields::optional_count(const char* name) const {
  const json* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number_unsigned()) refuse(name, "a whole number, not negative", shown(*value));
  return value->get<std::uint64_t>();
}

std::optional<bool> JsonFields::optional_flag(const char* name) const {
  const json* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_boolean()) refuse(name, "true or false", shown(*value));
  return value->get<bool>();
}

JsonFields JsonFields::object(const char* name) const {
  return {required(name, "an object"), where_ + ", " + name};
}

std::optional<JsonFields> JsonFields::optional_object(const char* name) const {
  if (find(name) == nullptr) return std::nullopt;
  return object(name);
}

const json& JsonFields::array(const char* name) const {
  const json& value = required(name, "an array");
  if (!value.is_array()) refuse(name, "an array", shown(value));
  return value;
}

void check_format(const JsonFields& document, const char* format) {
  const std::string found = document.text("format");
  if (found != format) document.refuse("format", format, shown(found));
  const std::uint64_t version = document.count("version");
  if (version != 1) document.refuse("version", "1", std::to_string(version));
}

}  // namespace regroup::apps
