#include "apps/convert/grouping_origin.hpp"

#include <nlohmann/json.hpp>

#include "models/files/json_file.hpp"
#include "search/base/error.hpp"

namespace regroup::apps {
namespace {

using nlohmann::json;

/// A file's document; null where there is none to be read.
json document_or_null(const std::filesystem::path& file) {
  std::error_code absent;
  if (!std::filesystem::is_regular_file(file, absent)) return nullptr;
  try {
    return models::read_json_file(file);
  } catch (const InputError&) {
    return nullptr;
  }
}

/// What stands at a JSON pointer if it has the type asked for.
template <class Value>
std::optional<Value> value_at(const json& document, const char* pointer) {
  const json::json_pointer place(pointer);
  if (!document.contains(place)) return std::nullopt;
  const json& value = document.at(place);
  if constexpr (std::is_same_v<Value, std::string>) {
    if (!value.is_string()) return std::nullopt;
  } else if constexpr (std::is_same_v<Value, bool>) {
    if (!value.is_boolean()) return std::nullopt;
  } else if constexpr (std::is_integral_v<Value>) {
    if (!value.is_number_unsigned()) return std::nullopt;
  } else {
    if (!value.is_number()) return std::nullopt;
  }
  return value.get<Value>();
}

/// The point of front.json that names the grouping file; null if there is none.
json point_of(const json& front, const std::string& grouping) {
  const auto points = front.find("points");
  if (points == front.end() || !points->is_array()) return nullptr;
  for (const json& point : *points) {
    if (value_at<std::string>(point, "/grouping") == grouping) return point;
  }
  return nullptr;
}

std::optional<MeasuredGrouping> measured_in_run(const std::filesystem::path& run,
                                                const std::string& grouping) {
  const json front = document_or_null(run / "front.json");
  const json record = document_or_null(run / "run.json");
  const json point = point_of(front, grouping);
  const auto source = value_at<double>(front, "/source/loss");
  const auto loss = value_at<double>(point, "/loss");
  const auto tokens = value_at<std::uint64_t>(record, "/data/eval/tokens");
  const auto images = value_at<std::uint64_t>(record, "/data/eval/images");
  if (!source || !loss || (!tokens && !images)) return std::nullopt;
  return MeasuredGrouping{*source,
                          *loss,
                          value_at<double>(point, "/kl"),
                          tokens ? *tokens : *images,
                          value_at<std::uint64_t>(record, "/data/eval/context"),
                          value_at<bool>(record, "/data/eval/sampled").value_or(false),
                          value_at<std::string>(record, "/data/eval/sha256").value_or("")};
}

}  // namespace

GroupingOrigin origin_of(const std::filesystem::path& grouping) {
  const json document = document_or_null(grouping);
  const std::filesystem::path folder = std::filesystem::absolute(grouping).parent_path();
  GroupingOrigin origin{value_at<std::string>(document, "/provenance/method").value_or(""),
                        value_at<std::string>(document, "/provenance/fitness").value_or(""),
                        std::nullopt};
  if (folder.filename() == "groupings") {
    origin.measured =
        measured_in_run(folder.parent_path(), "groupings/" + grouping.filename().string());
  }
  return origin;
}

}  // namespace regroup::apps
