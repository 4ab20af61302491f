#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "runs/reading/run_data.hpp"

namespace regroup::runs {

/// The layers of a grouping JSON (version 1), each head mapped to its group. Every KV head must be
/// in exactly one group of keys and one of values. Throws InputError naming file, layer and field.
std::vector<LayerGroups> read_grouping_layers(const std::filesystem::path& file,
                                              std::uint64_t kv_heads, std::uint64_t query_heads);

}  // namespace regroup::runs
