#include "models/checkpoint/weight_index.hpp"

#include <nlohmann/json.hpp>
#include <set>

#include "models/files/json_fields.hpp"
#include "models/files/json_file.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

/// An index must not make the program open files elsewhere.
void require_plain_name(const std::string& shard, const std::string& where) {
  const bool plain = !shard.empty() && shard != "." && shard != ".." &&
                     shard.find_first_of(std::string_view("/\\\0", 3)) == std::string::npos;
  if (plain) return;
  throw InputError({.what = "weight index names a shard outside its directory",
                    .where = where,
                    .expected = "a plain file name",
                    .found = describe_json(shard)});
}

}  // namespace

WeightMap read_weight_index(const std::filesystem::path& path) {
  const nlohmann::json index = read_json_file(path, DuplicateKeys::kRefuse);
  const auto& object = required_object(index, "weight_map", path.string());
  const std::string where = field_of(path.string(), "weight_map");
  WeightMap weight_map;
  for (const auto& [tensor, value] : object.items()) {
    const std::string shard = required_string(object, tensor, where);
    require_plain_name(shard, field_of(where, tensor));
    weight_map.emplace(tensor, shard);
  }
  if (weight_map.empty()) {
    throw InputError({.what = "weight index names no tensor",
                      .where = where,
                      .expected = "at least one tensor",
                      .found = "none"});
  }
  return weight_map;
}

std::vector<std::string> shard_names(const WeightMap& weight_map) {
  std::set<std::string> names;
  for (const auto& [tensor, shard] : weight_map) names.insert(shard);
  return {names.begin(), names.end()};
}

}  // namespace regroup::models
