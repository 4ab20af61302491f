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

/// Layers with a sliding window where "layer_types" does not list them: those from
/// "max_window_layers" on, or all but every n-th.
std::vector<bool> usual_layers(const json& config, const ArchitectureSpec& spec, int layers,
                               const std::string& where) {
  std::vector<bool> sliding;
  const bool has_pattern = spec.sliding_window == SlidingWindow::kByPattern;
  const auto first =
      optional_int(config, "max_window_layers", where, 0, kLargestWindow).value_or(0);
  const auto pattern = optional_int(config, "sliding_window_pattern", where, 1, kLargestWindow);
  const auto step = pattern.value_or(spec.full_attention_step);
  for (int layer = 0; layer < layers; ++layer) {
    sliding.push_back(has_pattern ? (layer + 1) % step != 0 : std::cmp_greater_equal(layer, first));
  }
  return sliding;
}

/// Whether each layer is a "sliding_attention" one.
std::vector<bool> sliding_layers(const json& config, const ArchitectureSpec& spec, int layers,
                                 const std::string& where) {
  const auto types = config.find("layer_types");
  if (types == config.end() || types->is_null()) return usual_layers(config, spec, layers, where);
  std::vector<bool> sliding(static_cast<std::size_t>(layers));
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
  const SlidingWindow kind = spec.sliding_window;
  if (kind == SlidingWindow::kNone) return {};
  const bool by_flag = kind == SlidingWindow::kByFlag || kind == SlidingWindow::kAllByFlag;
  if (by_flag && !optional_bool(config, "use_sliding_window", where).value_or(false)) return {};
  const auto window = optional_int(config, "sliding_window", where, 1, kLargestWindow);
  if (!window) return {};
  std::vector<int> windows(static_cast<std::size_t>(layers), static_cast<int>(*window));
  if (kind == SlidingWindow::kAllLayers || kind == SlidingWindow::kAllByFlag) return windows;
  const std::vector<bool> sliding = sliding_layers(config, spec, layers, where);
  for (std::size_t i = 0; i < windows.size(); ++i) {
    if (!sliding[i]) windows[i] = 0;
  }
  return windows;
}

}  // namespace regroup::models
