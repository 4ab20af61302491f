#pragma once

#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "models/language_model/generation.hpp"

namespace regroup::apps {

/// When the first new token came, and the last. Starts when it is made.
class GenerationClock {
 public:
  /// A token came.
  void count();
  /// Up to the first token, for which the prompt was read.
  double prompt_seconds() const { return seconds(start_, first_); }
  /// From the first to the last.
  double decoding_seconds() const { return seconds(first_, last_); }

 private:
  using Time = std::chrono::steady_clock::time_point;
  static double seconds(Time from, Time to) {
    return std::chrono::duration<double>(to - from).count();
  }

  Time start_ = std::chrono::steady_clock::now();
  Time first_ = {};
  Time last_ = {};
};

/// What generation cost.
struct GenerationFigures {
  std::size_t prompt_tokens = 0;
  std::size_t new_tokens = 0;
  double prompt_speed = 0;    ///< tokens per second; the prompt's, until the first new token
  double decoding_speed = 0;  ///< of the new tokens behind the first; 0 where there are none
  std::int64_t cache_positions = 0;
  std::int64_t cache_bytes = 0;
  std::int64_t bytes_per_token = 0;
  std::int64_t source_bytes_per_token = 0;  ///< what the source's heads take
  std::string dtype;                        ///< of the cache
};

GenerationFigures generation_figures(const models::Generation& generation,
                                     std::size_t prompt_tokens, const GenerationClock& clock,
                                     const models::PretrainedModel& source,
                                     const models::ComputeOptions& compute);

/// One line: "12 prompt tokens, 64 new: 812 tokens/s; KV cache 311,296 bytes (4,096 a token; source
/// 8,192)".
std::string figures_text(const GenerationFigures& figures);

/// The fields tokens_per_second and kv_cache of `generate --json`.
nlohmann::ordered_json figures_json(const GenerationFigures& figures);

/// "eos", "max_tokens" or "context".
std::string_view end_name(models::GenerationEnd end);

}  // namespace regroup::apps
