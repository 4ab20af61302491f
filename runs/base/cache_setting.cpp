#include "runs/base/cache_setting.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "runs/base/option_checks.hpp"

namespace regroup::runs {
namespace {

constexpr int kMostTokens = 1'000'000'000;

search::TextField size_field(std::optional<MemorySize>& size, const char* flag) {
  return {[&size, flag](const std::string& text) {
            size = MemorySize{text, parse_size(text, flag)};
          },
          [&size] { return size ? size->text : std::string(); }};
}

}  // namespace

std::vector<search::Option> options(CacheSetting& setting) {
  return {{.flag = "--cache-budget",
           .key = "cache_budget",
           .unit = "SIZE",
           .help = "Memory for the KV cache, as 8GiB, at --context and --batch",
           .field = size_field(setting.budget, "--cache-budget")},
          {.flag = "--context",
           .key = "cache_context",
           .unit = "N",
           .help = "Tokens of a sequence in the cache (0: the model's context)",
           .field = search::NumberField<std::int64_t>{&setting.context, 0, kMostTokens}},
          {.flag = "--batch",
           .key = "cache_batch",
           .unit = "N",
           .help = "Sequences in the cache",
           .field = search::NumberField<int>{&setting.batch, 1, kMostTokens}}};
}

std::int64_t CacheSetting::tokens_of_sequence(const models::ModelConfig& config) const {
  return context > 0 ? context : config.context;
}

std::int64_t CacheSetting::tokens(const models::ModelConfig& config) const {
  return tokens_of_sequence(config) * batch;
}

double cache_bytes(const CacheSetting& setting, const models::PretrainedModel& model, double size) {
  const auto per_token = models::kv_bytes_per_token(model.config, size, model.dtype);
  return static_cast<double>(per_token) * static_cast<double>(setting.tokens(model.config));
}

std::optional<int> kv_heads_in_budget(const CacheSetting& setting,
                                      const models::PretrainedModel& model) {
  if (!setting.budget) return std::nullopt;
  const auto budget = static_cast<double>(setting.budget->bytes);
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
