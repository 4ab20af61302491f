#pragma once

#include <compare>
#include <cstddef>
#include <functional>

namespace regroup::search {

/// An integer that counts one kind of thing: a head id cannot be passed where a group id is meant.
template <class Tag>
class Index {
 public:
  constexpr explicit Index(int value = 0) : value_(value) {}
  constexpr int value() const { return value_; }
  /// The same as an array subscript.
  constexpr std::size_t at() const { return static_cast<std::size_t>(value_); }
  constexpr auto operator<=>(const Index&) const = default;

 private:
  int value_;
};

/// A source KV head of one layer, 0 … H_kv − 1.
using Head = Index<struct HeadTag>;
/// A group of one partition, numbered by its lowest head.
using Group = Index<struct GroupTag>;

}  // namespace regroup::search
