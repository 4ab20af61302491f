#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "models/pretrained/pretrained_model.hpp"

namespace regroup::runs {

/// How a model will be served, and the memory there is for its KV cache: --cache-budget, --context
/// and --batch.
struct CacheSetting {
  std::string budget;        ///< "8GiB"; empty: none
  std::int64_t context = 0;  ///< tokens per sequence; 0: the model's own
  int batch = 1;             ///< sequences

  bool is_given() const { return !budget.empty() || context > 0 || batch > 1; }
  /// Tokens that the cache holds.
  std::int64_t tokens(const models::ModelConfig& config) const;
};

/// Throws InputError, naming the option, for a number out of range or a budget that is no size.
void require_valid(const CacheSetting& setting);

/// Bytes of KV cache that the setting takes with `kv_heads` key and value heads stored in all.
double cache_bytes(const CacheSetting& setting, const models::PretrainedModel& model, int kv_heads);

/// The most KV heads that fit into the budget, at most the source's; absent without a budget.
std::optional<int> kv_heads_in_budget(const CacheSetting& setting,
                                      const models::PretrainedModel& model);

/// Bytes for people: "8.00 GiB".
std::string size_text(double bytes);

}  // namespace regroup::runs
