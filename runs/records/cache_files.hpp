#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "models/pretrained/pretrained_model.hpp"
#include "runs/points/run_points.hpp"

namespace regroup::runs {

/// What front.json says of a model with other types of KV cache, `size` key and value heads in
/// all: the array `caches` of a point or of the source.
nlohmann::ordered_json caches_json(const std::vector<CacheMeasures>& caches, double size,
                                   const models::PretrainedModel& model);

/// caches.csv of a front.json: one row for each entry of its `caches`, the source's first. Empty if
/// there are none.
std::string caches_csv(const nlohmann::ordered_json& front);

}  // namespace regroup::runs
