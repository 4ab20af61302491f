#include "search/evolution/archive.hpp"

#include <iterator>

namespace regroup::search {

ParetoArchive::ParetoArchive(const std::vector<Entry>& entries) {
  for (const Entry& entry : entries) by_size_.emplace(entry.objectives.size, entry);
}

bool ParetoArchive::offer(std::span<const Gene> genome, const Objectives& objectives) {
  auto above = by_size_.upper_bound(objectives.size);
  if (above != by_size_.begin()) {
    // The largest entry no larger than the candidate has the least error of those.
    if (std::prev(above)->second.objectives.error <= objectives.error) return false;
  }
  auto dominated = by_size_.lower_bound(objectives.size);
  while (dominated != by_size_.end() && dominated->second.objectives.error >= objectives.error) {
    dominated = by_size_.erase(dominated);
  }
  by_size_.emplace_hint(dominated, objectives.size,
                        Entry{objectives, {genome.begin(), genome.end()}});
  return true;
}

std::vector<ParetoArchive::Entry> ParetoArchive::entries() const {
  std::vector<Entry> result;
  for (const auto& [size, entry] : by_size_) result.push_back(entry);
  return result;
}

std::vector<Objectives> ParetoArchive::objectives() const {
  std::vector<Objectives> result;
  for (const auto& [size, entry] : by_size_) result.push_back(entry.objectives);
  return result;
}

}  // namespace regroup::search
