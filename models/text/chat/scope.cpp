#include "models/text/chat/scope.hpp"

#include "search/base/error.hpp"

namespace regroup::models::chat {

Value Scope::find(const std::string& name) const {
  for (auto level = levels_.rbegin(); level != levels_.rend(); ++level) {
    const auto found = level->find(name);
    if (found != level->end()) return found->second;
  }
  return Value::Undefined{name};
}

std::vector<std::map<std::string, Value>> Scope::leave_all_but_globals() {
  std::vector<std::map<std::string, Value>> others(levels_.begin() + 1, levels_.end());
  levels_.resize(1);
  return others;
}

void Scope::put_back(std::vector<std::map<std::string, Value>> levels) {
  levels_.resize(1);
  for (auto& level : levels) levels_.push_back(std::move(level));
}

void Scope::count(std::size_t steps) {
  constexpr std::size_t kMostSteps = 20'000'000;
  steps_ += steps;
  if (steps_ <= kMostSteps) return;
  throw InputError({.what = "chat template does not come to an end",
                    .where = "chat template",
                    .expected = "at most 20 million steps and bytes"});
}

}  // namespace regroup::models::chat
