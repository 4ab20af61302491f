#include "apps/generation_result.hpp"

#include <fmt/format.h>

#include "models/layouts/layout.hpp"

namespace regroup::apps {
namespace {

/// 0 where there is nothing to divide by.
double rate(std::size_t tokens, double seconds) {
  return seconds > 0 ? static_cast<double>(tokens) / seconds : 0;
}

/// "311,296".
std::string with_commas(std::int64_t number) {
  constexpr std::ptrdiff_t kGroup = 3;
  std::string text = std::to_string(number);
  for (std::ptrdiff_t at = std::ssize(text) - kGroup; at > 0; at -= kGroup) {
    text.insert(static_cast<std::size_t>(at), ",");
  }
  return text;
}

}  // namespace

void GenerationClock::count() {
  last_ = std::chrono::steady_clock::now();
  if (first_ == Time{}) first_ = last_;
}

GenerationFigures generation_figures(const models::Generation& generation,
                                     std::size_t prompt_tokens, const GenerationClock& clock,
                                     const models::PretrainedModel& source,
                                     const models::ComputeOptions& compute) {
  const models::ModelConfig& config = source.config;
  const std::size_t new_tokens = generation.ids.size();
  return {.prompt_tokens = prompt_tokens,
          .new_tokens = new_tokens,
          .prompt_speed = rate(prompt_tokens, clock.prompt_seconds()),
          .decoding_speed = rate(new_tokens - 1, clock.decoding_seconds()),
          .cache_positions = generation.cache_positions,
          .cache_bytes = generation.cache_bytes,
          .bytes_per_token = generation.cache_bytes_per_position,
          .source_bytes_per_token =
              models::kv_bytes_per_token(config, models::stored_size(config), compute.dtype),
          .dtype = std::string(models::config_name(compute.dtype))};
}

std::string figures_text(const GenerationFigures& figures) {
  const std::string speed = figures.decoding_speed > 0
                                ? fmt::format(": {:.0f} tokens/s", figures.decoding_speed)
                                : std::string();
  return fmt::format("{} prompt tokens, {} new{}; KV cache {} bytes ({} a token; source {})",
                     figures.prompt_tokens, figures.new_tokens, speed,
                     with_commas(figures.cache_bytes), with_commas(figures.bytes_per_token),
                     with_commas(figures.source_bytes_per_token));
}

nlohmann::ordered_json figures_json(const GenerationFigures& figures) {
  return {{"tokens_per_second",
           {{"prompt", figures.prompt_speed}, {"decoding", figures.decoding_speed}}},
          {"kv_cache",
           {{"positions", figures.cache_positions},
            {"bytes", figures.cache_bytes},
            {"bytes_per_token", figures.bytes_per_token},
            {"source_bytes_per_token", figures.source_bytes_per_token},
            {"dtype", figures.dtype}}}};
}

std::string_view end_name(models::GenerationEnd end) {
  switch (end) {
    case models::GenerationEnd::kStopId:
      return "eos";
    case models::GenerationEnd::kContext:
      return "context";
    default:
      return "max_tokens";
  }
}

}  // namespace regroup::apps
