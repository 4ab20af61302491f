#include "fitness/tasks/window_task.hpp"

#include <fmt/format.h>

#include "search/error.hpp"

namespace regroup::fitness {
namespace {

models::TokenData read_text(const TaskOptions& options, const models::PretrainedModel& model) {
  if (options.limit > 0) {
    throw InputError({.what = "a task on windows of a text has no documents to count",
                      .where = "--limit",
                      .expected = "a task on documents",
                      .found = std::to_string(options.limit)});
  }
  return models::read_token_data(options.data, model);
}

}  // namespace

WindowTask::WindowTask(const TaskOptions& options, const models::PretrainedModel& model)
    : data_(read_text(options, model)),
      windows_(
          models::TokenWindows::of_stream(data_.ids, options.context, 0, data_.file.string())) {}

std::string WindowTask::size_text() const {
  return fmt::format("({} tokens, {} windows of {})", windows_.tokens(), windows_.size(),
                     windows_.context());
}

}  // namespace regroup::fitness
