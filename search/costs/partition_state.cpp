#include "search/costs/partition_state.hpp"

#include <algorithm>
#include <numeric>

#include "search/costs/cost_table.hpp"

namespace regroup::search {

PartitionState::PartitionState(const Partition& partition) : groups_(partition.members()) {
  for (int head = 0; head < partition.heads(); ++head) {
    slot_of_.push_back(partition.group_of(Head(head)));
  }
}

Partition PartitionState::partition() const {
  std::vector<Label> labels;
  for (const Group slot : slot_of_) labels.push_back(static_cast<Label>(slot.value()));
  return Partition::from_labels(labels);
}

void PartitionState::move(Head head, Group target) {
  std::vector<Head>& from = groups_[group_of(head).at()];
  from.erase(std::find(from.begin(), from.end(), head));
  groups_[target.at()].push_back(head);
  slot_of_[head.at()] = target;
}

void PartitionState::swap(Head a, Head b) {
  const Group home_a = group_of(a);
  const Group home_b = group_of(b);
  move(a, home_b);
  move(b, home_a);
}

RepricedState::RepricedState(const CostTable& table, const Partition& partition)
    : PartitionState(partition), table_(&table) {
  for (int g = 0; g < slots(); ++g) prices_.push_back(table.group_cost(members(Group(g))));
}

double RepricedState::cost() const {
  return std::accumulate(prices_.begin(), prices_.end(), 0.0);
}

double RepricedState::price_without(Group group, Head leaving) const {
  std::vector<Head> heads = members(group);
  heads.erase(std::find(heads.begin(), heads.end(), leaving));
  return table_->group_cost(heads);
}

double RepricedState::price_with(Group group, Head joining) const {
  std::vector<Head> heads = members(group);
  heads.push_back(joining);
  return table_->group_cost(heads);
}

double RepricedState::price_exchanged(Group group, Head leaving, Head joining) const {
  std::vector<Head> heads = members(group);
  std::replace(heads.begin(), heads.end(), leaving, joining);
  return table_->group_cost(heads);
}

double RepricedState::move_delta(Head head, Group target) const {
  const Group home = group_of(head);
  if (home == target) return 0;
  return price_without(home, head) + price_with(target, head) - prices_[home.at()] -
         prices_[target.at()];
}

double RepricedState::swap_delta(Head a, Head b) const {
  const Group home_a = group_of(a);
  const Group home_b = group_of(b);
  if (home_a == home_b) return 0;
  return price_exchanged(home_a, a, b) + price_exchanged(home_b, b, a) - prices_[home_a.at()] -
         prices_[home_b.at()];
}

void RepricedState::move(Head head, Group target) {
  const Group home = group_of(head);
  PartitionState::move(head, target);
  prices_[home.at()] = table_->group_cost(members(home));
  prices_[target.at()] = table_->group_cost(members(target));
}

}  // namespace regroup::search
