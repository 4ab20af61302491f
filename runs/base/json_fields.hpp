#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

namespace regroup::runs {

/// One JSON object whose fields are taken out with their type checked, so that every complaint
/// names the file and the field. Holds a reference: the document must outlive it.
///
/// The functions of models/files/json_fields.hpp, bound to one object.
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

}  // namespace regroup::runs
