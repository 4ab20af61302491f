// The types of KV cache among the options of a search.

#include <algorithm>
#include <array>
#include <iterator>

#include "runs/plan/search_options.hpp"

namespace regroup::runs {
namespace {

/// Types of KV cache that points are measured with unless asked otherwise.
constexpr std::array kDefaultCaches = {models::CacheType::kQ8_0, models::CacheType::kQ4_0};

}  // namespace

void SearchOptions::complete_caches(const models::ModelConfig& config) {
  std::vector<models::CacheType> types = cache_types();
  if (cache_dtypes.empty() && measure > 0) {
    std::ranges::copy_if(kDefaultCaches, std::back_inserter(types),
                         [&](models::CacheType type) { return models::has_cache(config, type); });
  }
  cache_dtypes.clear();
  for (const models::CacheType type : types) {
    cache_dtypes.emplace_back(models::cache_type_name(type));
  }
}

std::vector<models::CacheType> SearchOptions::cache_types() const {
  std::vector<models::CacheType> types;
  if (cache_dtypes == std::vector<std::string>{"none"}) return types;
  for (const std::string& name : cache_dtypes) {
    types.push_back(models::find_cache_type(name, "--cache-dtype"));
  }
  std::ranges::sort(types);
  types.erase(std::unique(types.begin(), types.end()), types.end());
  return types;
}

}  // namespace regroup::runs
