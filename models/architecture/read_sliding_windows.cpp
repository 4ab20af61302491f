#include "models/architecture/config_parts.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "models/files/json_fields.hpp"
#include "models/files/json_file.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

using nlohmann::json;

constexpr std::int64_t kLargestWindow = std::int64_t{1} << 24;

/// Whether each layer is a "sliding_attention" one: by "layer_types", else from "max_window_layers"
/// on.
std::vector<bool> sliding_layers(const json& config, int layers, const std::string& where) {
  std::vector<bool> sliding(static_cast<std::size_t>(layers));
  const auto types = config.find("layer_types");
  if (types == config.end() || types->is_null()) {
    const auto first =
        optional_int(config, "max_window_layers", where, 0, kLargestWindow).value_or(0);
    for (std::size_t i = 0; i < sliding.size(); ++i) sliding[i] = std::cmp_greater_equal(i, first);
    return sliding;
  }
  const json& listed = required_array(config, "layer_types", where);
  if (listed.size() != sliding.size()) {
    throw InputError({.what = "layer_types does not have an entry for every layer",
                      .where = field_of(where, "layer_types"),
                      .expected = fmt::format("{} entries", layers),
                      .found = std::to_string(listed.size())});
  }
  for (std::size_t i = 0; i < sliding.size(); ++i) {
    sliding[i] = listed[i] == "sliding_attention";
    if (sliding[i] || listed[i] == "full_attention") continue;
    throw InputError({.what = "kind of attention is not supported",
                      .where = field_of(where, fmt::format("layer_types[{}]", i)),
                      .expected = "full_attention or sliding_attention",
                      .found = describe_json(listed[i])});
  }
  return sliding;
}

}  // namespace

std::vector<int> read_sliding_windows(const json& config, const ArchitectureSpec& spec, int layers,
                                      const std::string& where) {
  if (spec.sliding_window == SlidingWindow::kNone) return {};
  const bool by_flag = spec.sliding_window == SlidingWindow::kByFlag;
  if (by_flag && !optional_bool(config, "use_sliding_window", where).value_or(false)) return {};
  const auto window = optional_int(config, "sliding_window", where, 1, kLargestWindow);
  if (!window) return {};
  std::vector<int> windows(static_cast<std::size_t>(layers), static_cast<int>(*window));
  if (!by_flag) return windows;
  const std::vector<bool> sliding = sliding_layers(config, layers, where);
  for (std::size_t i = 0; i < windows.size(); ++i) {
    if (!sliding[i]) windows[i] = 0;
  }
  return windows;
}

}  // namespace regroup::models
