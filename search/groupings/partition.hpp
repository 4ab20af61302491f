#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "search/groupings/index.hpp"

namespace regroup::search {

/// The group of one head in a label vector.
using Label = std::uint16_t;

/// A set partition of the heads 0 … n − 1 of one layer in canonical form: groups are numbered by
/// their lowest head, so the labels are a restricted-growth string and equal partitions have equal
/// labels. Prints as `0 3 | 1 2`. A value; thread-safe as such.
class Partition {
 public:
  static constexpr int kMaxHeads = 1024;

  /// Every head alone (MHA). Throws InputError unless 1 ≤ heads ≤ kMaxHeads.
  static Partition singletons(int heads);
  /// All heads in one group (MQA).
  static Partition one_group(int heads);
  /// Head h goes to group ⌊h · groups / heads⌋ (GQA, arXiv 2305.13245); 1 ≤ groups ≤ heads.
  static Partition neighbours(int heads, int groups);
  /// From any labelling: heads with equal labels share a group. O(n).
  static Partition from_labels(std::span<const Label> labels);
  /// From groups of head ids in any order. Throws InputError for an empty group and for a head that
  /// is out of range, listed twice or missing, each with a message of its own.
  static Partition from_groups(int heads, const std::vector<std::vector<int>>& groups);
  /// From the printed form. Throws InputError as `from_groups`, and for text that is not one.
  static Partition parse(std::string_view text);

  int heads() const { return static_cast<int>(labels_.size()); }
  int groups() const { return groups_; }
  Group group_of(Head head) const { return Group(labels_[head.at()]); }
  std::span<const Label> labels() const { return labels_; }
  /// Members of every group, ascending, groups by first member.
  std::vector<std::vector<Head>> members() const;
  /// The same as plain numbers, as files hold them.
  std::vector<std::vector<int>> member_ids() const;
  /// Whether all groups have the same number of heads.
  bool has_equal_sizes() const;
  /// Groups joined by " | ": `0 3 | 1 2`.
  std::string to_string() const;

  bool operator==(const Partition&) const = default;
  auto operator<=>(const Partition&) const = default;

 private:
  explicit Partition(std::vector<Label> canonical_labels, int groups);

  std::vector<Label> labels_;
  int groups_ = 0;
};

/// Rewrites labels to the restricted-growth form in place and returns the number of groups. O(n).
/// Labels must be below 2 · kMaxHeads (unchecked: this is the search's inner loop).
int canonicalise(std::span<Label> labels);

}  // namespace regroup::search

template <>
struct std::hash<regroup::search::Partition> {
  std::size_t operator()(const regroup::search::Partition& partition) const noexcept;
};
