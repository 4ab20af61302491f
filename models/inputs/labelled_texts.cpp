#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

#include "models/files/json_fields.hpp"
#include "models/files/json_file.hpp"
#include "models/files/json_lines.hpp"
#include "models/inputs/dataset.hpp"
#include "models/inputs/text_lines.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

constexpr const char* kField = "label";

/// The number of the class that a line names.
std::int32_t class_of(const JsonLine& line, const std::vector<std::string>& labels) {
  const auto field = line.value.find(kField);
  if (field != line.value.end() && field->is_string()) {
    const auto found = std::ranges::find(labels, field->get<std::string>());
    if (found != labels.end()) return static_cast<std::int32_t>(found - labels.begin());
  } else if (field != line.value.end() && field->is_number_integer()) {
    const auto number = field->get<std::int64_t>();
    if (number >= 0 && number < std::ssize(labels)) return static_cast<std::int32_t>(number);
  }
  throw InputError({.what = "label is not a class of the model",
                    .where = field_of(line.where, kField),
                    .expected = fmt::format("0 to {}, or a class's name", labels.size() - 1),
                    .found = field == line.value.end() ? "nothing" : describe_json(*field)});
}

}  // namespace

LabelledTexts read_labelled_texts(const std::filesystem::path& file, const PretrainedModel& model) {
  const TextLines lines(file, model);
  LabelledTexts result{lines.sha256(), {}};
  for (const JsonLine& line : lines.all("texts", R"({"text": "…", "label": 0})")) {
    result.texts.push_back({lines.ids(line, "text"), {class_of(line, model.config.labels)}});
  }
  return result;
}

}  // namespace regroup::models
