#pragma once

#include <cstdint>
#include <queue>
#include <unordered_map>
#include <utility>
#include <vector>

#include "models/text/pipeline/merge_table.hpp"

namespace regroup::models {

/// The symbols of one word while BPE puts it together: a linked list, and the merges that are
/// possible, the lowest rank first, then the leftmost. A word of n symbols takes O(n log n).
class SymbolList {
 public:
  /// Keeps the reference.
  explicit SymbolList(const MergeTable& merges) : merges_(merges) {}

  /// Appends a symbol by its id. One that is not `merges` stays what it is.
  void append(std::int32_t id, bool merges = true);
  /// Merges until no two neighbours have a merge.
  void merge_all();

  /// Calls `visit(id, i)` for every symbol that is left, in order; it begins with the one that was
  /// appended i-th.
  template <class Visit>
  void for_each(const Visit& visit) const {
    for (std::int32_t i = symbols_.empty() ? kNone : 0; i != kNone; i = at(i).next) {
      visit(at(i).id, static_cast<std::size_t>(i));
    }
  }

  /// The ids of two symbols.
  using Pair = std::pair<std::int32_t, std::int32_t>;
  /// From now on keeps in `pairs`, which must outlive it, the last pair that could become each id.
  void keep_pairs(std::unordered_map<std::int32_t, Pair>& pairs) { pairs_ = &pairs; }

 private:
  static constexpr std::int32_t kNone = -1;
  struct Symbol {
    std::int32_t id;  // kNone: merged into the one before
    std::int32_t previous;
    std::int32_t next;
    bool merges;
  };
  struct Candidate {
    MergeResult result;
    std::int32_t at;
    std::int32_t left;  // ids when it was proposed
    std::int32_t right;
    bool operator<(const Candidate& other) const {
      if (result.rank != other.result.rank) return result.rank > other.result.rank;
      return at > other.at;
    }
  };

  Symbol& at(std::int32_t i) { return symbols_[static_cast<std::size_t>(i)]; }
  const Symbol& at(std::int32_t i) const { return symbols_[static_cast<std::size_t>(i)]; }
  void propose(std::int32_t i);
  bool is_current(const Candidate& candidate) const;
  void apply(const Candidate& candidate);

  const MergeTable& merges_;
  std::vector<Symbol> symbols_;
  std::priority_queue<Candidate> candidates_;
  std::unordered_map<std::int32_t, Pair>* pairs_ = nullptr;
};

}  // namespace regroup::models
