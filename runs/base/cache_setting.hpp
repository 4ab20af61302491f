#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "models/pretrained/pretrained_model.hpp"
#include "search/base/options.hpp"

namespace regroup::runs {

/// An amount of memory.
struct MemorySize {
  std::string text;  ///< as it was asked for: "8GiB"
  std::uint64_t bytes = 0;
};

/// How a model will be served, and the memory there is for its KV cache: --cache-budget, --context
/// and --batch.
struct CacheSetting {
  std::optional<MemorySize> budget;
  std::int64_t context = 0;  ///< tokens per sequence; 0: the model's own
  int batch = 1;             ///< sequences

  bool is_given() const { return budget.has_value() || context > 0 || batch > 1; }
  /// Tokens of one sequence.
  std::int64_t tokens_of_sequence(const models::ModelConfig& config) const;
  /// Tokens that the cache holds.
  std::int64_t tokens(const models::ModelConfig& config) const;
};

/// The options, bound to `setting`.
std::vector<search::Option> options(CacheSetting& setting);

/// Bytes of KV cache that the setting takes with `size` key and value heads of the source in all.
double cache_bytes(const CacheSetting& setting, const models::PretrainedModel& model, double size);

/// The most KV heads that fit into the budget, at most the source's; absent without a budget.
std::optional<int> kv_heads_in_budget(const CacheSetting& setting,
                                      const models::PretrainedModel& model);

/// Bytes for people: "8.00 GiB".
std::string size_text(double bytes);

}  // namespace regroup::runs
