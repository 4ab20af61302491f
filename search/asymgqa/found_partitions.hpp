#pragma once

#include <cstddef>
#include <mutex>
#include <optional>
#include <vector>

#include "search/base/state_store.hpp"
#include "search/groupings/partition.hpp"

namespace regroup::search {

/// What AsymGQA found by prices for each unit and size, a task each, kept in a store as soon as it
/// is found: a run that goes on searches the rest. Thread-safe.
class FoundPartitions {
 public:
  struct Found {
    Partition partition;
    std::size_t evaluations;  ///< that it took
  };

  /// Takes up what an earlier run left of as many tasks; `store` must outlive it.
  FoundPartitions(std::size_t tasks, StateStore& store);

  /// Throws WorkError if it cannot be kept.
  void add(std::size_t task, Found found);
  /// Of one task, if it is done.
  std::optional<Found> of(std::size_t task) const;

 private:
  std::string record() const;

  StateStore& store_;
  mutable std::mutex mutex_;
  std::vector<std::optional<Found>> found_;
};

}  // namespace regroup::search
