#include "models/layers/head_map.hpp"

#include <fmt/format.h>

#include <utility>

#include "search/base/error.hpp"

namespace regroup::models {

HeadMap::HeadMap(std::vector<int> stored_of_query, int stored)
    : stored_of_query_(std::move(stored_of_query)), stored_(stored) {
  for (int query = 0; query < queries(); ++query) {
    const int head = (*this)[query];
    if (head >= 0 && head < stored_) continue;
    throw WorkError({.what = "a query head reads a head that is not stored",
                     .where = fmt::format("query head {}", query),
                     .expected = fmt::format("one of {} stored heads", stored_),
                     .found = std::to_string(head)});
  }
}

HeadMap HeadMap::even(int queries, int stored) {
  if (stored < 1 || queries % stored != 0) {
    throw WorkError({.what = "stored heads do not share query heads evenly",
                     .expected = fmt::format("a divisor of {} query heads", queries),
                     .found = std::to_string(stored)});
  }
  std::vector<int> stored_of_query;
  for (int query = 0; query < queries; ++query) {
    stored_of_query.push_back(query / (queries / stored));
  }
  return {std::move(stored_of_query), stored};
}

bool HeadMap::is_identity() const {
  for (int query = 0; query < queries(); ++query) {
    if ((*this)[query] != query) return false;
  }
  return stored_ == queries();
}

}  // namespace regroup::models
