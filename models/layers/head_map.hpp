#pragma once

#include <vector>

namespace regroup::models {

/// Which of n stored heads, key or value, each of H query heads reads. A stored head may serve any
/// number of query heads, none among them. A value.
class HeadMap {
 public:
  /// No heads at all.
  HeadMap() = default;
  /// `stored_of_query`: H entries, each from 0 to `stored` − 1. Throws WorkError for another one.
  HeadMap(std::vector<int> stored_of_query, int stored);

  /// Neighbouring query heads share a stored one, as grouped-query attention has it: query head q
  /// reads ⌊q · stored / queries⌋. `stored` must divide `queries`, else WorkError.
  static HeadMap even(int queries, int stored);

  int queries() const { return static_cast<int>(stored_of_query_.size()); }  ///< H
  int stored() const { return stored_; }                                     ///< n
  int operator[](int query) const { return stored_of_query_[static_cast<std::size_t>(query)]; }
  /// H entries.
  const std::vector<int>& stored_of_query() const { return stored_of_query_; }
  /// Whether every query head reads the stored head of its own number, and there are no others.
  bool is_identity() const;

  bool operator==(const HeadMap&) const = default;

 private:
  std::vector<int> stored_of_query_;
  int stored_ = 0;
};

}  // namespace regroup::models
