#include "fitness/tasks/window_task.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "search/base/error.hpp"

namespace regroup::fitness {
namespace {

models::Dataset read_data(const TaskOptions& options, const models::PretrainedModel& model) {
  const bool is_text = models::window_kind(model.config.kind) == models::WindowKind::kTokens;
  if (options.limit > 0 && is_text) {
    throw InputError({.what = "a task on windows of a text has no documents to count",
                      .where = "--limit",
                      .expected = "a task on documents",
                      .found = std::to_string(options.limit)});
  }
  return models::read_dataset(options.data, model, options.join);
}

models::Windows first_windows(const models::Windows& all, std::size_t limit) {
  return limit == 0 ? all : all.part(0, std::min(limit, all.size()));
}

}  // namespace

WindowTask::WindowTask(const TaskOptions& options, const models::PretrainedModel& model)
    : data_(read_data(options, model)),
      windows_(first_windows(models::windows_of(data_, model.config, options.context, 0),
                             options.limit)) {}

std::string WindowTask::size_text() const {
  return fmt::format("({})", windows_.size_text());
}

}  // namespace regroup::fitness
