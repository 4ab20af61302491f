#include "models/text/pipeline/word_cache.hpp"

namespace regroup::models {

void WordCache::append_ids(std::string_view word, std::vector<std::int32_t>& ids) {
  model_.for_each_part(word, [&](std::string_view part) { append_part(part, ids); });
}

void WordCache::append_part(std::string_view part, std::vector<std::int32_t>& ids) {
  constexpr std::size_t kLongest = 128;
  constexpr std::size_t kMostWords = 100'000;
  if (part.size() > kLongest) return model_.append_ids(part, ids);
  if (const auto known = known_.find(part); known != known_.end()) {
    const auto first = known_ids_.begin() + static_cast<std::ptrdiff_t>(known->second.begin);
    ids.insert(ids.end(), first, first + static_cast<std::ptrdiff_t>(known->second.count));
    return;
  }
  if (known_.size() >= kMostWords) {
    known_.clear();
    known_ids_.clear();
  }
  const std::size_t before = ids.size();
  model_.append_ids(part, ids);
  known_.emplace(part, Range{known_ids_.size(), ids.size() - before});
  known_ids_.insert(known_ids_.end(), ids.begin() + static_cast<std::ptrdiff_t>(before), ids.end());
}

}  // namespace regroup::models
