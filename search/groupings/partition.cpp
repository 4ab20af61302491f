#include "search/groupings/partition.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <numeric>
#include <utility>

#include "search/base/error.hpp"

namespace regroup::search {
namespace {

constexpr Label kUnseen = 0xffff;

void require_head_count(int heads) {
  if (heads < 1 || heads > Partition::kMaxHeads) {
    throw InputError({.what = "number of heads is out of range",
                      .expected = fmt::format("1 to {}", Partition::kMaxHeads),
                      .found = std::to_string(heads)});
  }
}

int parse_head(std::string_view word) {
  int head = -1;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), head);
  if (error != std::errc() || end != word.data() + word.size()) {
    throw InputError({.what = "partition text is not of the form 0 3 | 1 2",
                      .expected = "head ids, spaces and |",
                      .found = std::string(word)});
  }
  return head;
}

}  // namespace

int canonicalise(std::span<Label> labels) {
  std::array<Label, 2 * Partition::kMaxHeads> renamed;
  renamed.fill(kUnseen);
  Label next = 0;
  for (Label& label : labels) {
    Label& name = renamed[label];
    if (name == kUnseen) name = next++;
    label = name;
  }
  return next;
}

Partition::Partition(std::vector<Label> canonical_labels, int groups)
    : labels_(std::move(canonical_labels)), groups_(groups) {}

Partition Partition::singletons(int heads) {
  require_head_count(heads);
  std::vector<Label> labels(static_cast<std::size_t>(heads));
  std::iota(labels.begin(), labels.end(), Label{0});
  return Partition(std::move(labels), heads);
}

Partition Partition::one_group(int heads) {
  require_head_count(heads);
  return Partition(std::vector<Label>(static_cast<std::size_t>(heads), 0), 1);
}

Partition Partition::neighbours(int heads, int groups) {
  require_head_count(heads);
  if (groups < 1 || groups > heads) {
    throw InputError({.what = "number of groups is out of range",
                      .expected = fmt::format("1 to {}", heads),
                      .found = std::to_string(groups)});
  }
  std::vector<Label> labels(static_cast<std::size_t>(heads));
  for (int head = 0; head < heads; ++head) {
    labels[static_cast<std::size_t>(head)] = static_cast<Label>(head * groups / heads);
  }
  return Partition(std::move(labels), groups);
}

Partition Partition::from_labels(std::span<const Label> labels) {
  require_head_count(static_cast<int>(labels.size()));
  if (*std::max_element(labels.begin(), labels.end()) >= kMaxHeads) {
    throw InputError(
        {.what = "group label is out of range", .expected = fmt::format("below {}", kMaxHeads)});
  }
  std::vector<Label> copy(labels.begin(), labels.end());
  const int groups = canonicalise(copy);
  return Partition(std::move(copy), groups);
}

Partition Partition::from_groups(int heads, const std::vector<std::vector<int>>& groups) {
  require_head_count(heads);
  std::vector<Label> labels(static_cast<std::size_t>(heads), kUnseen);
  Label name = 0;
  for (const std::vector<int>& group : groups) {
    if (group.empty()) throw InputError({.what = "a group has no heads"});
    for (const int head : group) {
      if (head < 0 || head >= heads) {
        throw InputError({.what = "head id is out of range",
                          .expected = fmt::format("0 to {}", heads - 1),
                          .found = std::to_string(head)});
      }
      Label& label = labels[static_cast<std::size_t>(head)];
      if (label != kUnseen) {
        throw InputError({.what = "head is listed twice: groups overlap",
                          .expected = "every head in exactly one group",
                          .found = fmt::format("head {}", head)});
      }
      label = name;
    }
    ++name;
  }
  const auto missing = std::find(labels.begin(), labels.end(), kUnseen);
  if (missing != labels.end()) {
    throw InputError({.what = "head is in no group",
                      .expected = fmt::format("all heads 0 to {}", heads - 1),
                      .found = fmt::format("head {} missing", missing - labels.begin())});
  }
  return from_labels(labels);
}

Partition Partition::parse(std::string_view text) {
  std::vector<std::vector<int>> groups(1);
  int heads = 0;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == ' ') {
      ++at;
    } else if (text[at] == '|') {
      groups.emplace_back();
      ++at;
    } else {
      const std::size_t end = std::min(text.find_first_of(" |", at), text.size());
      groups.back().push_back(parse_head(text.substr(at, end - at)));
      ++heads;
      at = end;
    }
  }
  return from_groups(heads, groups);
}

std::vector<std::vector<Head>> Partition::members() const {
  std::vector<std::vector<Head>> result(static_cast<std::size_t>(groups_));
  for (int head = 0; head < heads(); ++head) {
    result[labels_[static_cast<std::size_t>(head)]].push_back(Head(head));
  }
  return result;
}

std::vector<std::vector<int>> Partition::member_ids() const {
  std::vector<std::vector<int>> result(static_cast<std::size_t>(groups_));
  for (int head = 0; head < heads(); ++head) {
    result[labels_[static_cast<std::size_t>(head)]].push_back(head);
  }
  return result;
}

bool Partition::has_equal_sizes() const {
  if (heads() % groups_ != 0) return false;
  std::vector<int> sizes(static_cast<std::size_t>(groups_));
  for (const Label label : labels_) ++sizes[label];
  return std::all_of(sizes.begin(), sizes.end(),
                     [&](int size) { return size == heads() / groups_; });
}

std::string Partition::to_string() const {
  std::vector<std::string> groups;
  for (const std::vector<int>& group : member_ids()) {
    groups.push_back(fmt::format("{}", fmt::join(group, " ")));
  }
  return fmt::format("{}", fmt::join(groups, " | "));
}

}  // namespace regroup::search

std::size_t std::hash<regroup::search::Partition>::operator()(
    const regroup::search::Partition& partition) const noexcept {
  // FNV-1a over the labels.
  std::size_t mixed = 14695981039346656037ULL;
  for (const regroup::search::Label label : partition.labels()) {
    mixed = (mixed ^ label) * 1099511628211ULL;
  }
  return mixed;
}
