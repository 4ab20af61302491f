#include "models/passes/sampling_options.hpp"

#include <fmt/format.h>

#include <cmath>

#include "search/base/error.hpp"

namespace regroup::models {

void require_valid(const SamplingOptions& options) {
  const auto refuse = [](const char* where, const char* expected, double found) {
    throw InputError({.what = "sampling option is out of range",
                      .where = where,
                      .expected = expected,
                      .found = fmt::format("{}", found)});
  };
  const bool is_cold = options.temperature >= 0 && std::isfinite(options.temperature);
  if (!is_cold) refuse("--temperature", "0 or more", options.temperature);
  if (options.top_k < 0) refuse("--top-k", "0 or more", options.top_k);
  const bool is_share = options.top_p > 0 && options.top_p <= 1;
  if (!is_share) refuse("--top-p", "above 0, at most 1", options.top_p);
}

}  // namespace regroup::models
