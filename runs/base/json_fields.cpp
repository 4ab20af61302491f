#include "runs/base/json_fields.hpp"

#include <fmt/format.h>

#include <limits>

#include "models/files/json_fields.hpp"
#include "models/files/json_file.hpp"
#include "models/files/printable.hpp"
#include "search/base/error.hpp"

namespace regroup::runs {
namespace {

using nlohmann::json;

constexpr std::int64_t kLargestCount = std::numeric_limits<std::int64_t>::max();

}  // namespace

JsonFields::JsonFields(const json& value, std::string where)
    : value_(&value), where_(std::move(where)) {
  models::require_object(value, where_);
}

void JsonFields::refuse(const char* name, const std::string& expected,
                        const std::string& found) const {
  throw InputError({.what = "field has the wrong value",
                    .where = models::field_of(where_, name),
                    .expected = expected,
                    .found = found});
}

const json* JsonFields::find(const char* name) const {
  const auto found = value_->find(name);
  return found == value_->end() || found->is_null() ? nullptr : &*found;
}

std::string JsonFields::text(const char* name) const {
  return models::required_string(*value_, name, where_);
}

std::optional<std::string> JsonFields::optional_text(const char* name) const {
  return models::optional_string(*value_, name, where_);
}

double JsonFields::number(const char* name) const {
  return models::required_number(*value_, name, where_);
}

std::optional<double> JsonFields::optional_number(const char* name) const {
  return models::optional_number(*value_, name, where_);
}

std::uint64_t JsonFields::count(const char* name) const {
  return static_cast<std::uint64_t>(models::required_int(*value_, name, where_, 0, kLargestCount));
}

std::optional<std::uint64_t> JsonFields::optional_count(const char* name) const {
  const auto count = models::optional_int(*value_, name, where_, 0, kLargestCount);
  return count ? std::optional(static_cast<std::uint64_t>(*count)) : std::nullopt;
}

std::optional<bool> JsonFields::optional_flag(const char* name) const {
  return models::optional_bool(*value_, name, where_);
}

JsonFields JsonFields::object(const char* name) const {
  return {models::required_object(*value_, name, where_), fmt::format("{}, {}", where_, name)};
}

std::optional<JsonFields> JsonFields::optional_object(const char* name) const {
  const json* value = models::optional_object(*value_, name, where_);
  if (value == nullptr) return std::nullopt;
  return JsonFields(*value, fmt::format("{}, {}", where_, name));
}

const json& JsonFields::array(const char* name) const {
  return models::required_array(*value_, name, where_);
}

void check_format(const JsonFields& document, const char* format) {
  const std::string found = document.text("format");
  if (found != format) document.refuse("format", format, models::printable(found));
  const std::uint64_t version = document.count("version");
  if (version != 1) document.refuse("version", "1", std::to_string(version));
}

}  // namespace regroup::runs
