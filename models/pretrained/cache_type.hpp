#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "models/pretrained/pretrained_model.hpp"
#include "search/groupings/grouping.hpp"

namespace regroup::models {

/// How the KV cache holds numbers. q8_0 and q4_0 are llama.cpp's block formats
/// (`ggml-quants.c`, quantize_row_…_ref): 32 neighbouring values of a head share one scale in
/// float16, and each is a multiple of it that takes 8 or 4 bits.
enum class CacheType {
  kExact,  ///< in the type of the computation
  kF16,    ///< float16
  kQ8_0,   ///< 34 bytes for 32 values
  kQ4_0,   ///< 18 bytes for 32 values
};

/// Values that share a scale in the block formats.
inline constexpr int kCacheBlock = 32;

/// Every type that has a name, from wide to narrow: all but kExact.
std::span<const CacheType> named_cache_types();
/// The name that llama.cpp gives the type: "q8_0"; of kExact "exact".
std::string_view cache_type_name(CacheType type);
/// The type called `name`; throws InputError about `option` that lists the known ones.
CacheType find_cache_type(std::string_view name, std::string_view option);

/// Whether numbers are stored in blocks that share a scale.
constexpr bool is_block_type(CacheType type) {
  return type == CacheType::kQ8_0 || type == CacheType::kQ4_0;
}

/// Whether the model has a cache of that type: it is causal, and its heads are whole blocks.
bool has_cache(const ModelConfig& config, CacheType type);
/// Whether groups of these widths are whole blocks of the type; those without are the model's
/// heads.
bool has_whole_blocks(const search::Grouping& grouping, CacheType type);
/// Throws InputError about `option` unless it has.
void require_cache(const ModelConfig& config, CacheType type, std::string_view option);

/// Bytes of KV cache per token for `size` key and value heads of the source in all, or as much in
/// groups of other widths, METHODS §0; of kExact in the element type of the checkpoint. The model
/// must have such a cache.
std::int64_t kv_bytes_per_token(const PretrainedModel& model, double size, CacheType type);

}  // namespace regroup::models
