#include "runs/plan/option_record.hpp"

#include <filesystem>
#include <type_traits>
#include <variant>
#include <vector>

namespace regroup::runs {
namespace {

using nlohmann::ordered_json;

struct ToJson {
  template <class T>
  ordered_json operator()(const T& value) const {
    return value;
  }
  ordered_json operator()(const std::filesystem::path& file) const { return file.string(); }
  ordered_json operator()(const std::vector<std::filesystem::path>& files) const {
    ordered_json names = ordered_json::array();
    for (const std::filesystem::path& file : files) names.push_back(file.string());
    return names;
  }
};

}  // namespace

ordered_json option_record(std::span<const search::Option> options) {
  ordered_json record = ordered_json::object();
  for (const search::Option& option : options) {
    if (option.key.empty()) continue;
    const auto value = search::value_of(option);
    record[option.key] = value ? std::visit(ToJson(), *value) : ordered_json();
  }
  return record;
}

}  // namespace regroup::runs
