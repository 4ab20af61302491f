#pragma once

#include <span>
#include <stop_token>

#include "models/transformer/transformer.hpp"
#include "search/base/random.hpp"

namespace regroup::models {

/// Windows sequences side by side with a KV cache: each begins with `first` and goes on at
/// temperature 1 until its share of `ids` is full (ids.size() / streams.size() ids, row by row).
/// Sequence i draws from streams[i] alone. Throws Interrupted on `stop`.
void sample_sequences(const Transformer& transformer, std::int32_t first,
                      std::span<search::RandomStream> streams, std::stop_token stop,
                      std::span<std::int32_t> ids);

}  // namespace regroup::models
