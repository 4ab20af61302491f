#include "models/grouping/partition_json.hpp"

#include <nlohmann/json.hpp>
#include <vector>

#include "models/files/json_fields.hpp"
#include "models/files/json_file.hpp"
#include "search/error.hpp"

namespace regroup::models {

search::Partition read_partition(const nlohmann::json& groups, int heads,
                                 const std::string& where) {
  if (!groups.is_array()) {
    throw InputError({.what = "groups are not a list",
                      .where = where,
                      .expected = "an array of arrays of head ids",
                      .found = describe_json(groups)});
  }
  std::vector<std::vector<int>> ids;
  for (const nlohmann::json& group : groups) {
    if (!group.is_array()) {
      throw InputError({.what = "group is not a list of heads",
                        .where = where,
                        .expected = "an array of head ids",
                        .found = describe_json(group)});
    }
    ids.emplace_back();
    for (const nlohmann::json& head : group) {
      constexpr std::int64_t kAnyInt = 1'000'000;  // the partition itself says what is in range
      ids.back().push_back(static_cast<int>(checked_int(head, where, -kAnyInt, kAnyInt)));
    }
  }
  try {
    return search::Partition::from_groups(heads, ids);
  } catch (const InputError& error) {
    ErrorParts parts = error.parts();
    parts.where = where;
    throw InputError(parts);
  }
}

}  // namespace regroup::models
