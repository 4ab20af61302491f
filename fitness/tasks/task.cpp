#include "fitness/tasks/task.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>

#include "fitness/tasks/divergence.hpp"
#include "fitness/tasks/image_classification.hpp"
#include "fitness/tasks/last_word.hpp"
#include "fitness/tasks/multiple_choice.hpp"
#include "fitness/tasks/perplexity.hpp"
#include "fitness/tasks/rolling_perplexity.hpp"
#include "search/base/error.hpp"

namespace regroup::fitness {
namespace {

const Perplexity kPerplexity;
const RollingPerplexity kRollingPerplexity;
const Divergence kDivergence;
const LastWord kLastWord;
const MultipleChoice kMultipleChoice;
const ImageClassification kImageClassification;

/// Every task; a new one is one line here.
const std::array<const Task*, 6> kTasks = {&kPerplexity,     &kRollingPerplexity,
                                           &kDivergence,     &kLastWord,
                                           &kMultipleChoice, &kImageClassification};

}  // namespace

std::span<const Task* const> all_tasks() {
  return kTasks;
}

void require_fits(const Task& task, const models::PretrainedModel& model) {
  if (task.fits(model.config.kind)) return;
  std::vector<std::string_view> names;
  for (const Task* other : kTasks) {
    if (other->fits(model.config.kind)) names.push_back(other->name());
  }
  throw InputError({.what = "task cannot be measured of this model",
                    .where = model.config.architecture,
                    .expected = fmt::format("--task {}", fmt::join(names, ", ")),
                    .found = std::string(task.name())});
}

const Task& find_task(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Task* task : kTasks) {
    if (task->name() == name) return *task;
    names.push_back(task->name());
  }
  throw InputError({.what = "task is not known",
                    .where = "--task",
                    .expected = fmt::format("one of {}", fmt::join(names, ", ")),
                    .found = std::string(name)});
}

}  // namespace regroup::fitness
