#include "models/text/pipeline/symbol_list.hpp"

namespace regroup::models {

void SymbolList::append(std::int32_t id, bool merges) {
  const auto index = static_cast<std::int32_t>(symbols_.size());
  if (index > 0) symbols_.back().next = index;
  symbols_.push_back({id, index - 1, kNone, merges});
}

void SymbolList::merge_all() {
  for (std::int32_t i = 0; i < static_cast<std::int32_t>(symbols_.size()); ++i) propose(i);
  while (!candidates_.empty()) {
    const Candidate candidate = candidates_.top();
    candidates_.pop();
    if (is_current(candidate)) apply(candidate);
  }
}

void SymbolList::propose(std::int32_t i) {
  if (i == kNone || at(i).next == kNone) return;
  const Symbol& left = at(i);
  const Symbol& right = at(left.next);
  if (!left.merges || !right.merges) return;
  if (const MergeResult* result = merges_.find(left.id, right.id)) {
    candidates_.push({*result, i, left.id, right.id});
    if (pairs_ != nullptr) (*pairs_)[result->id] = {left.id, right.id};
  }
}

bool SymbolList::is_current(const Candidate& candidate) const {
  const Symbol& symbol = at(candidate.at);
  return symbol.id == candidate.left && symbol.next != kNone &&
         at(symbol.next).id == candidate.right;
}

void SymbolList::apply(const Candidate& candidate) {
  Symbol& left = at(candidate.at);
  Symbol& right = at(left.next);
  left.id = candidate.result.id;
  left.next = right.next;
  right.id = kNone;
  if (left.next != kNone) at(left.next).previous = candidate.at;
  propose(left.previous);
  propose(candidate.at);
}

}  // namespace regroup::models
