#include "models/images/class_labels.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "models/files/json_fields.hpp"
#include "models/files/printable.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

/// Ids of a label; more than one where classes share a name.
using IdsOfLabel = std::map<std::string_view, std::vector<int>>;

IdsOfLabel ids_of_labels(const std::vector<std::string>& labels) {
  IdsOfLabel ids;
  for (std::size_t id = 0; id < labels.size(); ++id) {
    ids[labels[id]].push_back(static_cast<int>(id));
  }
  return ids;
}

std::vector<int> ids_in_order(const std::vector<std::string>& names,
                              const std::vector<std::string>& labels, const std::string& where) {
  if (!labels.empty() && names.size() != labels.size()) {
    throw InputError(
        {.what = "classes are neither named nor numbered as the model's",
         .where = where,
         .expected = fmt::format("names from the model's id2label, such as \"{}\", or "
                                 "{} classes in its order",
                                 printable(labels.front()), labels.size()),
         .found = fmt::format("{} classes, none with a name of the model's", names.size())});
  }
  std::vector<int> ids(names.size());
  std::iota(ids.begin(), ids.end(), 0);
  return ids;
}

int only_id(const std::string& name, const IdsOfLabel& known, const std::string& where) {
  const auto found = known.find(name);
  if (found == known.end()) {
    throw InputError({.what = "class is not one of the model's",
                      .where = where,
                      .expected = "a name from the model's id2label, as others here have",
                      .found = printable(name)});
  }
  if (found->second.size() > 1) {
    throw InputError({.what = "class has a name that the model gives to several",
                      .where = where,
                      .expected = "a name that stands for one class",
                      .found = fmt::format("{}, classes {} and {}", printable(name),
                                           found->second[0], found->second[1])});
  }
  return found->second.front();
}

}  // namespace

std::vector<std::string> read_class_labels(const nlohmann::json& config, const std::string& where) {
  const nlohmann::json* listed = optional_object(config, "id2label", where);
  if (listed == nullptr) return {};
  std::vector<std::string> labels;
  for (std::size_t id = 0; id < listed->size(); ++id) {
    labels.push_back(required_string(*listed, std::to_string(id), field_of(where, "id2label")));
  }
  return labels;
}

std::vector<int> class_ids(const std::vector<std::string>& names,
                           const std::vector<std::string>& labels, const std::string& where) {
  const IdsOfLabel known = ids_of_labels(labels);
  const auto is_label = [&known](const std::string& name) { return known.contains(name); };
  if (std::none_of(names.begin(), names.end(), is_label)) {
    return ids_in_order(names, labels, where);
  }
  std::vector<int> ids;
  for (const std::string& name : names) ids.push_back(only_id(name, known, where));
  return ids;
}

}  // namespace regroup::models
