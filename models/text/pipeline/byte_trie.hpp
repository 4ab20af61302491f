#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace regroup::models {

/// Texts and a number for each, found by their prefixes: a trie whose edges lie in one hash table.
/// Immutable once filled, and then thread-safe.
class ByteTrie {
 public:
  /// `text` is not empty; `value` is not negative. A later value of the same text takes the place
  /// of the one before.
  void set(std::string_view text, std::int32_t value);

  /// Calls `visit(length, value)` for every text that `text` begins with, the shortest first. Takes
  /// O(length of the longest).
  template <class Visit>
  void for_each_prefix(std::string_view text, const Visit& visit) const {
    std::uint32_t node = 0;
    for (std::size_t at = 0; at < text.size(); ++at) {
      node = child(node, static_cast<unsigned char>(text[at]));
      if (node == 0) return;
      if (values_[node] >= 0) visit(at + 1, values_[node]);
    }
  }

 private:
  struct Edge {
    std::uint64_t key = 0;  // node · 256 + byte + 1; 0: free
    std::uint32_t node = 0;
  };
  std::uint32_t child(std::uint32_t node, unsigned char byte) const {
    if (edges_.empty()) return 0;
    return edges_[slot_of(key_of(node, byte))].node;
  }
  static std::uint64_t key_of(std::uint32_t node, unsigned char byte) {
    constexpr unsigned kBits = 8;
    return (std::uint64_t{node} << kBits) + byte + 1;
  }
  std::size_t slot_of(std::uint64_t key) const {
    constexpr std::uint64_t kGolden = 0x9e3779b97f4a7c15ULL;  // Fibonacci hashing
    constexpr unsigned kShift = 32;
    const std::size_t mask = edges_.size() - 1;
    std::size_t slot = ((key * kGolden) >> kShift) & mask;
    while (edges_[slot].key != key && edges_[slot].key != 0) slot = (slot + 1) & mask;
    return slot;
  }
  void grow();

  std::vector<Edge> edges_;                  // a power of two, at most half of them used
  std::vector<std::int32_t> values_ = {-1};  // by node; the root is node 0
};

}  // namespace regroup::models
