#include "models/transformer/window_checks.hpp"

#include <fmt/format.h>

#include <cmath>

#include "search/error.hpp"

namespace regroup::models {

void require_ids(std::span<const std::int32_t> ids, const ModelConfig& config) {
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] >= 0 && ids[i] < config.vocabulary) continue;
    throw InputError({.what = "token id is outside the model's vocabulary",
                      .where = fmt::format("token {}", i),
                      .expected = fmt::format("0 to {}", config.vocabulary - 1),
                      .found = std::to_string(ids[i])});
  }
}

void require_length(std::size_t length, const ModelConfig& config) {
  if (length >= 1 && length <= static_cast<std::size_t>(config.context)) return;
  throw InputError({.what = "input length does not fit the model's context",
                    .expected = fmt::format("1 to {} tokens", config.context),
                    .found = std::to_string(length)});
}

void require_windows(const TokenWindows& windows, const ModelConfig& config) {
  require_ids(windows.ids(), config);
  require_length(static_cast<std::size_t>(windows.context()), config);
}

void require_finite_loss(double loss, const PretrainedModel& model) {
  if (std::isfinite(loss)) return;
  throw WorkError({.what = "the model's loss is not a finite number",
                   .where = model.name(),
                   .found = fmt::format("{}", loss)});
}

}  // namespace regroup::models
