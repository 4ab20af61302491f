#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace regroup::models {

/// What two neighbouring symbols become. The lowest rank is done first.
struct MergeResult {
  std::int32_t rank;
  std::int32_t id;
};

/// The merges of a BPE by the ids of their two parts: open addressing, as most questions are about
/// pairs that have none. Immutable once filled, and then thread-safe.
class MergeTable {
 public:
  /// A later merge of the same pair takes the place of the one before. Ids are not negative.
  void set(std::int32_t left, std::int32_t right, MergeResult result);
  /// Null where the pair has no merge.
  const MergeResult* find(std::int32_t left, std::int32_t right) const;

 private:
  struct Slot {
    std::uint64_t key;
    MergeResult result;
  };
  std::size_t slot_of(std::uint64_t key) const;
  void grow();

  std::vector<Slot> slots_;
  std::size_t used_ = 0;
};

}  // namespace regroup::models
