#include "fitness/tasks/task.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>

#include "fitness/tasks/tasks.hpp"
#include "search/base/error.hpp"

namespace regroup::fitness {
namespace {

/// Every task; a new one is one line here.
const auto& tasks() {
  static const std::array<const Task*, 8> kTasks = {
      &perplexity_task(),          &rolling_perplexity_task(),  &divergence_task(),
      &last_word_task(),           &multiple_choice_task(),     &image_classification_task(),
      &text_classification_task(), &sequence_to_sequence_task()};
  return kTasks;
}

}  // namespace

std::span<const Task* const> all_tasks() {
  return tasks();
}

void require_fits(const Task& task, const models::PretrainedModel& model) {
  if (task.fits(model.config)) return;
  std::vector<std::string_view> names;
  for (const Task* other : tasks()) {
    if (other->fits(model.config)) names.push_back(other->name());
  }
  throw InputError({.what = "task cannot be measured of this model",
                    .where = model.config.architecture,
                    .expected = fmt::format("--task {}", fmt::join(names, ", ")),
                    .found = std::string(task.name())});
}

const Task& find_task(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Task* task : tasks()) {
    if (task->name() == name) return *task;
    names.push_back(task->name());
  }
  throw InputError({.what = "task is not known",
                    .where = "--task",
                    .expected = fmt::format("one of {}", fmt::join(names, ", ")),
                    .found = std::string(name)});
}

}  // namespace regroup::fitness
