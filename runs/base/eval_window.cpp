#include "runs/base/eval_window.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "search/base/error.hpp"

namespace regroup::runs {

int eval_window(const models::ModelConfig& config, int asked) {
  if (asked == 0) return std::min(config.context, kLongestDefaultWindow);
  if (asked >= 1 && asked <= config.context) return asked;
  throw InputError({.what = "window does not fit the model's context",
                    .where = "--context",
                    .expected = fmt::format("1 to {}", config.context),
                    .found = std::to_string(asked)});
}

}  // namespace regroup::runs
