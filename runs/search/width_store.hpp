#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "search/base/state_store.hpp"
#include "search/groupings/grouping_rules.hpp"

namespace regroup::runs {

/// The part of a run's state that belongs to the search in groups of one width: names of records
/// are those of the method, of wider groups with the width before them.
class WidthStore : public search::StateStore {
 public:
  /// `store` must outlive it.
  WidthStore(search::StateStore& store, const search::GroupMultiples& multiples);

  std::optional<std::string> load(std::string_view name) const override;
  void save(std::string_view name, std::string record) override;

 private:
  search::StateStore& store_;
  std::string prefix_;
};

}  // namespace regroup::runs
