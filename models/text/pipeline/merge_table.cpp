#include "models/text/pipeline/merge_table.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace regroup::models {
namespace {

constexpr std::uint64_t kEmptySlot = std::numeric_limits<std::uint64_t>::max();

std::uint64_t pair_key(std::int32_t left, std::int32_t right) {
  constexpr unsigned kBits = 32;
  return (std::uint64_t{static_cast<std::uint32_t>(left)} << kBits) |
         static_cast<std::uint32_t>(right);
}

/// Fibonacci hashing (Knuth, volume 3, 6.4).
std::size_t hash_of_pair(std::uint64_t key) {
  constexpr std::uint64_t kGolden = 0x9e3779b97f4a7c15ULL;
  constexpr unsigned kShift = 29;
  key *= kGolden;
  return key ^ (key >> kShift);
}

}  // namespace

/// Where the key stands, or the empty slot for it; slots are a power of two, not all used.
std::size_t MergeTable::slot_of(std::uint64_t key) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = hash_of_pair(key) & mask;
  while (slots_[slot].key != key && slots_[slot].key != kEmptySlot) slot = (slot + 1) & mask;
  return slot;
}

void MergeTable::grow() {
  constexpr std::size_t kLeast = 16;
  std::vector<Slot> old = std::move(slots_);
  slots_.assign(std::max(kLeast, 2 * old.size()), Slot{kEmptySlot, {}});
  for (const Slot& slot : old) {
    if (slot.key != kEmptySlot) slots_[slot_of(slot.key)] = slot;
  }
}

void MergeTable::set(std::int32_t left, std::int32_t right, MergeResult result) {
  if (2 * (used_ + 1) > slots_.size()) grow();
  Slot& slot = slots_[slot_of(pair_key(left, right))];
  used_ += slot.key == kEmptySlot ? 1 : 0;
  slot = {pair_key(left, right), result};
}

const MergeResult* MergeTable::find(std::int32_t left, std::int32_t right) const {
  if (slots_.empty()) return nullptr;
  const Slot& slot = slots_[slot_of(pair_key(left, right))];
  return slot.key == kEmptySlot ? nullptr : &slot.result;
}

}  // namespace regroup::models
