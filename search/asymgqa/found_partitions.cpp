#include "search/asymgqa/found_partitions.hpp"

#include <utility>

#include "search/base/record.hpp"

namespace regroup::search {
namespace {

constexpr std::string_view kRecord = "asymgqa";

}  // namespace

FoundPartitions::FoundPartitions(std::size_t tasks, StateStore& store)
    : store_(store), found_(tasks) {
  const auto kept = store.load(kRecord);
  if (!kept) return;
  RecordReader record(*kept);
  if (record.number<std::size_t>() != tasks) return;
  const auto done = record.number<std::size_t>();
  for (std::size_t i = 0; i < done; ++i) {
    const auto task = record.number<std::size_t>();
    const auto evaluations = record.number<std::size_t>();
    found_.at(task) = Found{Partition::from_labels(record.row<Label>()), evaluations};
  }
}

std::string FoundPartitions::record() const {
  std::size_t done = 0;
  for (const auto& found : found_) done += found ? 1 : 0;
  RecordWriter record;
  record.number(found_.size());
  record.number(done);
  for (std::size_t task = 0; task < found_.size(); ++task) {
    if (!found_[task]) continue;
    record.number(task);
    record.number(found_[task]->evaluations);
    record.row(std::span(found_[task]->partition.labels()));
  }
  return std::move(record).bytes();
}

void FoundPartitions::add(std::size_t task, Found found) {
  const std::lock_guard one_at_a_time(mutex_);
  found_.at(task) = std::move(found);
  store_.save(kRecord, record());
}

std::optional<FoundPartitions::Found> FoundPartitions::of(std::size_t task) const {
  const std::lock_guard one_at_a_time(mutex_);
  return found_.at(task);
}

}  // namespace regroup::search
