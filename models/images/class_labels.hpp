#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace regroup::models {

/// The names of a model's classes by class id, "id2label" of its config.json; empty where it has
/// none. `where` names the file. Throws InputError unless every id from 0 on has one name.
std::vector<std::string> read_class_labels(const nlohmann::json& config, const std::string& where);

/// The class id of each of a data set's `names` of classes: where the name stands among a model's
/// `labels`, exactly as it is written.
///
/// Where no name is among them, as with labels in another language or "tench, Tinca tinca" for
/// n01440764, the data set's order is taken for the model's; their numbers must be equal then,
/// unless there are no labels. `where` names the data set. Throws InputError when only some names
/// are labels, naming the first that is not, and when a name stands for two classes.
std::vector<int> class_ids(const std::vector<std::string>& names,
                           const std::vector<std::string>& labels, const std::string& where);

}  // namespace regroup::models
