#include "models/pretrained/cache_type.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "search/base/error.hpp"

namespace regroup::models {
namespace {

struct Format {
  CacheType type;
  std::string_view name;
  std::int64_t block_bytes;  // of kCacheBlock values
};

/// Every named type; a new one is one line here and its rounding in CacheCodec.
constexpr std::array kFormats = {Format{CacheType::kF16, "f16", 64},
                                 Format{CacheType::kQ8_0, "q8_0", 34},
                                 Format{CacheType::kQ4_0, "q4_0", 18}};
constexpr std::array kNamed = {CacheType::kF16, CacheType::kQ8_0, CacheType::kQ4_0};

const Format& format_of(CacheType type) {
  for (const Format& format : kFormats) {
    if (format.type == type) return format;
  }
  throw WorkError({.what = "cache type has no format of its own"});
}

bool has_whole_blocks(const ModelConfig& config, CacheType type) {
  return !is_block_type(type) || config.head_dim % kCacheBlock == 0;
}

}  // namespace

std::span<const CacheType> named_cache_types() {
  return kNamed;
}

std::string_view cache_type_name(CacheType type) {
  return type == CacheType::kExact ? "exact" : format_of(type).name;
}

CacheType find_cache_type(std::string_view name, std::string_view option) {
  std::vector<std::string_view> names;
  for (const Format& format : kFormats) {
    if (format.name == name) return format.type;
    names.push_back(format.name);
  }
  throw InputError({.what = "type of the KV cache is not known",
                    .where = std::string(option),
                    .expected = fmt::format("one of {}", fmt::join(names, ", ")),
                    .found = std::string(name)});
}

bool has_cache(const ModelConfig& config, CacheType type) {
  return config.kind == ModelKind::kCausal && has_whole_blocks(config, type);
}

bool has_whole_blocks(const search::Grouping& grouping, CacheType type) {
  if (!is_block_type(type)) return true;
  const auto is_whole = [](int width) { return width % kCacheBlock == 0; };
  return std::ranges::all_of(grouping.layers, [&](const search::LayerGrouping& layer) {
    return !layer.widths || (std::ranges::all_of(layer.widths->keys, is_whole) &&
                             std::ranges::all_of(layer.widths->values, is_whole));
  });
}

void require_cache(const ModelConfig& config, CacheType type, std::string_view option) {
  if (type == CacheType::kExact) return;
  const std::string where = fmt::format("{} {}", option, cache_type_name(type));
  if (config.kind != ModelKind::kCausal) {
    throw InputError({.what = "only a causal decoder is measured with another type of KV cache",
                      .where = where,
                      .expected = "a causal language model",
                      .found = config.architecture});
  }
  if (!has_whole_blocks(config, type)) {
    throw InputError({.what = "heads are not whole blocks of this cache type",
                      .where = where,
                      .expected = fmt::format("head_dim a multiple of {}", kCacheBlock),
                      .found = fmt::format("head_dim {}", config.head_dim)});
  }
}

std::int64_t kv_bytes_per_token(const PretrainedModel& model, double size, CacheType type) {
  if (type == CacheType::kExact) return kv_bytes_per_token(model.config, size, model.dtype);
  return std::llround(size * model.config.head_dim) * format_of(type).block_bytes / kCacheBlock;
}

}  // namespace regroup::models
