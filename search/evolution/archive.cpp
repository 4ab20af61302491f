#include "search/evolution/archive.hpp"

#include <algorithm>
#include <iterator>

namespace regroup::search {

ParetoArchive::ParetoArchive(const std::vector<Entry>& entries) {
  for (const Entry& entry : entries) {
    const auto& [size, error, compute] = entry.objectives;
    levels_[compute].add(size, error, entry);
  }
}

bool ParetoArchive::offer(std::span<const Gene> genome, const Objectives& objectives) {
  const auto [size, error, compute] = objectives;
  const auto above = levels_.upper_bound(compute);
  for (auto level = levels_.begin(); level != above; ++level) {
    if (level->second.covers(size, error)) return false;
  }
  for (auto level = above; level != levels_.end();) {
    level->second.remove_covered(size, error);
    level = level->second.steps().empty() ? levels_.erase(level) : std::next(level);
  }
  levels_[compute].add(size, error, {objectives, {genome.begin(), genome.end()}});
  return true;
}

std::vector<ParetoArchive::Entry> ParetoArchive::entries() const {
  std::vector<Entry> result;
  for (const auto& [compute, level] : levels_) {
    for (const auto& [size, step] : level.steps()) result.push_back(step.value);
  }
  std::ranges::sort(result, comes_before, &Entry::objectives);
  return result;
}

std::vector<Objectives> ParetoArchive::objectives() const {
  std::vector<Objectives> result;
  for (const Entry& entry : entries()) result.push_back(entry.objectives);
  return result;
}

std::size_t ParetoArchive::size() const {
  std::size_t total = 0;
  for (const auto& [compute, level] : levels_) total += level.steps().size();
  return total;
}

}  // namespace regroup::search
