#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace regroup::models {

/// The `weight_map` of a `model.safetensors.index.json` or its like: tensor name → shard's file
/// name.
using WeightMap = std::map<std::string, std::string>;

/// Reads and checks an index file. Throws InputError when it is no such file, names no tensor or
/// names one twice, or when a shard's name is not that of a file in the same directory.
WeightMap read_weight_index(const std::filesystem::path& path);

/// The shards that a map names, each once, ascending.
std::vector<std::string> shard_names(const WeightMap& weight_map);

}  // namespace regroup::models
