#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runs/reading/run_data.hpp"

namespace regroup::runs {

// Grouping beside the flag that users try first, a quantised KV cache: both make the cache smaller,
// so they are compared at equal bytes per token. All losses are of one run, on the same text.

/// One model with one type of KV cache.
struct CachedModel {
  std::string type;                   ///< "q8_0"; "" the plain cache, in the checkpoint's type
  const FrontPoint* point = nullptr;  ///< null: the ungrouped source
  std::uint64_t bytes_per_token = 0;
  double loss = 0;

  bool is_grouped() const { return point != nullptr; }
};

/// The types of cache that the run measured besides the plain one, as the source has them.
std::vector<std::string> measured_cache_types(const RunData& run);

/// The source and the points of the search that are smaller, each with every type of cache that was
/// measured, by type (the plain one first), the source before its groupings. Holds pointers into
/// `run`. Empty if no other type than the plain one was measured.
std::vector<CachedModel> cached_models(const RunData& run);

/// Those of one type with the lowest loss within a number of bytes; of equals the first.
std::optional<CachedModel> best_cached_within(const std::vector<CachedModel>& models,
                                              const std::string& type, std::uint64_t bytes);

/// Byte counts at which all types are compared, descending: those of the ungrouped source with each
/// smaller type of cache, and a half and a quarter of the smallest of them.
std::vector<std::uint64_t> compared_sizes(const RunData& run);

/// What the numbers say in plain sentences: of each type smaller than the plain cache whether the
/// ungrouped source with it beats the groupings with a plain cache, those of as many bytes or more
/// and the best within as many; whether grouping with an 8-bit cache beats 4 bits alone; what is
/// best at half the bytes of the smallest type. Empty where nothing can be compared.
std::vector<std::string> cache_verdict(const RunData& run);

}  // namespace regroup::runs
