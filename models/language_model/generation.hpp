#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <stop_token>
#include <vector>

#include "models/language_model/language_model.hpp"
#include "models/passes/sampling_options.hpp"
#include "search/base/random.hpp"

namespace regroup::models {

struct GenerationOptions {
  SamplingOptions sampling;
  search::RandomKey key{0};                 ///< of the draws, where the temperature is above 0
  std::size_t most_tokens = 64;             ///< new ones
  std::vector<std::int32_t> stop_ids = {};  ///< generation ends behind any of these
};

enum class GenerationEnd {
  kStopId,      ///< the last id is one of `stop_ids`
  kMostTokens,  ///< `most_tokens` are there
  kContext,     ///< prompt and new ids are as many as the model's context
};

/// What a model wrote, and the KV cache that it took.
struct Generation {
  std::vector<std::int32_t> ids;  ///< new ones, a stop id among them
  GenerationEnd end = GenerationEnd::kMostTokens;
  std::int64_t cache_positions = 0;           ///< that the cache has room for
  std::int64_t cache_bytes = 0;               ///< of that room, in the computation's type
  std::int64_t cache_bytes_per_position = 0;  ///< what one more position would add
};

/// Throws InputError unless the model writes text token by token.
void require_causal(const ModelConfig& config);
/// Throws InputError for an empty prompt, ids outside the vocabulary, and a prompt that leaves no
/// room in the context.
void require_prompt(std::span<const std::int32_t> prompt, const ModelConfig& config);

/// Called with every new id as it comes.
using OnId = std::function<void(std::int32_t id)>;

/// Continues a prompt id by id with a KV cache, on the calling thread. The cache has room for the
/// prompt and `most_tokens`, at most the context. An id takes O(weights + cache) time.
///
/// Throws as `require_causal`, `require_prompt` and `require_valid`; WorkError if a logit is not
/// finite; Interrupted on `stop`.
Generation generate(const LanguageModel& model, std::span<const std::int32_t> prompt,
                    const GenerationOptions& options, const OnId& on_id, std::stop_token stop);

/// Where the model's own texts end: `eos_token_id` of generation_config.json, else of config.json,
/// one id or several; ids outside the vocabulary are left out. Throws InputError for a broken file
/// or field.
std::vector<std::int32_t> end_ids(const PretrainedModel& model);

}  // namespace regroup::models
