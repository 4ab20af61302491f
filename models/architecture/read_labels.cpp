#include <nlohmann/json.hpp>

#include "models/architecture/config_parts.hpp"
#include "models/files/json_fields.hpp"
#include "models/files/json_file.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

constexpr std::int64_t kUsualClasses = 2;
constexpr std::int64_t kMostClasses = 1 << 20;

}  // namespace

std::vector<std::string> read_labels(const nlohmann::json& config, const std::string& where) {
  const nlohmann::json* names = optional_object(config, "id2label", where);
  const bool has_names = names != nullptr && !names->empty();
  const auto stated = optional_int(config, "num_labels", where, 1, kMostClasses);
  const auto classes =
      has_names ? names->size() : static_cast<std::size_t>(stated.value_or(kUsualClasses));
  std::vector<std::string> labels;
  for (std::size_t i = 0; i < classes; ++i) {
    const std::string id = std::to_string(i);
    labels.push_back(has_names ? required_string(*names, id, field_of(where, "id2label"))
                               : "LABEL_" + id);
  }
  return labels;
}

std::vector<std::string> read_text_labels(const nlohmann::json& config, const std::string& where) {
  constexpr const char* kOneOfSeveral = "single_label_classification";
  const auto type = config.find("problem_type");
  const bool says_other = type != config.end() && !type->is_null() && *type != kOneOfSeveral;
  std::vector<std::string> labels = read_labels(config, where);
  if (!says_other && labels.size() > 1) return labels;
  throw InputError({.what = "the model does not choose one class of several",
                    .where = field_of(where, says_other ? "problem_type" : "num_labels"),
                    .expected = says_other ? kOneOfSeveral : "2 or more",
                    .found = says_other ? describe_json(*type) : std::to_string(labels.size())});
}

}  // namespace regroup::models
