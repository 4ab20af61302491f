#include "runs/search/width_store.hpp"

#include <fmt/format.h>

#include <utility>

namespace regroup::runs {

WidthStore::WidthStore(search::StateStore& store, const search::GroupMultiples& multiples)
    : store_(store) {
  if (!multiples.are_heads()) prefix_ = fmt::format("{}x{} ", multiples.keys, multiples.values);
}

std::optional<std::string> WidthStore::load(std::string_view name) const {
  return store_.load(prefix_ + std::string(name));
}

void WidthStore::save(std::string_view name, std::string record) {
  store_.save(prefix_ + std::string(name), std::move(record));
}

}  // namespace regroup::runs
