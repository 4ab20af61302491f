#pragma once

#include <cstdint>
#include <span>

#include "models/passes/sampling_options.hpp"
#include "search/base/random.hpp"

namespace regroup::models {

/// The next token given finite logits [vocabulary]: at temperature 0 the most likely one, else one
/// drawn with `stream`, one draw a token. Of tokens that are as likely the one of the lower id
/// comes first. O(vocabulary), and O(log vocabulary) for each token that top_k or top_p leaves;
/// sums in double. `options` are valid.
std::int32_t choose_token(std::span<const float> logits, const SamplingOptions& options,
                          search::RandomStream& stream);

}  // namespace regroup::models
