#include "models/grouping/formats/grouping_format.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>

#include "models/grouping/formats/formats.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

/// Every format; a new one is one line here.
const auto& formats() {
  static const std::array<const GroupingFormat*, 4> kFormats = {
      &chai_format(), &chai_layers_format(), &block_configs_format(), &csv_format()};
  return kFormats;
}

[[noreturn]] void refuse_count(const std::string& where, std::string_view noun, int expected,
                               int found) {
  throw InputError({.what = fmt::format("number of {} is not the model's", noun),
                    .where = where,
                    .expected = std::to_string(expected),
                    .found = std::to_string(found)});
}

}  // namespace

std::vector<std::string_view> grouping_format_names() {
  std::vector<std::string_view> names;
  for (const GroupingFormat* format : formats()) names.push_back(format->name());
  return names;
}

const GroupingFormat& find_grouping_format(std::string_view name) {
  for (const GroupingFormat* format : formats()) {
    if (format->name() == name) return *format;
  }
  throw InputError({.what = "format of groupings is not known",
                    .where = "--format",
                    .expected = fmt::format("one of {}", fmt::join(grouping_format_names(), ", ")),
                    .found = std::string(name)});
}

std::vector<NamedText> write_grouping_as(const GroupingFormat& format,
                                         const search::Grouping& grouping,
                                         const HeadCounts& heads) {
  for (std::size_t i = 0; i < grouping.layers.size(); ++i) {
    const auto refuse = [&](std::string_view what, std::string expected, std::string found) {
      throw InputError({.what = fmt::format("{} cannot say {}", format.name(), what),
                        .where = fmt::format("layer {}", i),
                        .expected = std::move(expected),
                        .found = std::move(found)});
    };
    const search::LayerGrouping& layer = grouping.layers[i];
    if (layer.has_allocation()) {
      refuse("which group serves which query head",
             "query heads served by the groups of their own KV heads", "query_to_group");
    }
    if (layer.widths && !format.keeps_widths()) {
      refuse("how wide a group is", "groups as wide as a head, or --format csv",
             layer.widths->to_string());
    }
  }
  return format.write(grouping, heads);
}

void require_shared_partitions(const GroupingFormat& format, const search::Grouping& grouping) {
  for (std::size_t i = 0; i < grouping.layers.size(); ++i) {
    const search::LayerGrouping& layer = grouping.layers[i];
    if (layer.shares_partition()) continue;
    throw InputError(
        {.what = fmt::format("{} has one partition for keys and values", format.name()),
         .where = fmt::format("layer {}", i),
         .expected = "the same groups of keys and of values, or --format csv",
         .found = fmt::format("{} and {}", layer.keys.to_string(), layer.values.to_string())});
  }
}

void require_counts(const search::Grouping& grouping, const std::optional<HeadCounts>& model,
                    const std::string& where) {
  const int layers = static_cast<int>(grouping.layers.size());
  if (model && layers != model->layers) refuse_count(where, "layers", model->layers, layers);
  for (int i = 0; i < layers; ++i) {
    const int heads = grouping.layers[static_cast<std::size_t>(i)].keys.heads();
    const std::string place = fmt::format("{}, layer {}", where, i);
    if (model && heads != model->kv_heads) {
      refuse_count(place, "KV heads", model->kv_heads, heads);
    }
    const int first = grouping.layers[0].keys.heads();
    if (heads == first) continue;
    throw InputError({.what = "layer has other heads than the first",
                      .where = place,
                      .expected = fmt::format("{} heads", first),
                      .found = fmt::format("{} heads", heads)});
  }
}

}  // namespace regroup::models
