#include "runs/base/cache_setting.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "runs/base/option_checks.hpp"
#include "search/base/error.hpp"

namespace regroup::runs {
namespace {

void require_count(std::int64_t value, std::int64_t least, const char* option) {
  constexpr std::int64_t kMost = 1'000'000'000;
  if (value >= least && value <= kMost) return;
  throw InputError({.what = "option is out of range",
                    .where = option,
                    .expected = fmt::format("{} to {}", least, kMost),
                    .found = std::to_string(value)});
}

}  // namespace

std::int64_t CacheSetting::tokens(const models::ModelConfig& config) const {
  return (context > 0 ? context : config.context) * batch;
}

void require_valid(const CacheSetting& setting) {
  require_count(setting.context, 0, "--context");
  require_count(setting.batch, 1, "--batch");
  if (!setting.budget.empty()) parse_size(setting.budget, "--cache-budget");
}

double cache_bytes(const CacheSetting& setting, const models::PretrainedModel& model,
                   int kv_heads) {
  const auto per_token = models::kv_bytes_per_token(model.config, kv_heads, model.dtype);
  return static_cast<double>(per_token) * static_cast<double>(setting.tokens(model.config));
}

std::optional<int> kv_heads_in_budget(const CacheSetting& setting,
                                      const models::PretrainedModel& model) {
  if (setting.budget.empty()) return std::nullopt;
  const auto budget = static_cast<double>(parse_size(setting.budget, "--cache-budget"));
  const int source = model.config.stored_kv_heads();
  return static_cast<int>(std::min<double>(source, budget / cache_bytes(setting, model, 1)));
}

std::string size_text(double bytes) {
  constexpr std::array kUnits = {"bytes", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  for (; bytes >= 1024 && unit + 1 < kUnits.size(); ++unit) bytes /= 1024;
  return unit == 0 ? fmt::format("{:.0f} bytes", bytes)
                   : fmt::format("{:.2f} {}", bytes, kUnits[unit]);
}

}  // namespace regroup::runs
