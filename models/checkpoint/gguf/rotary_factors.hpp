#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "models/checkpoint/gguf/gguf_header.hpp"

namespace regroup::models {

/// The tensor of the numbers that llama.cpp divides rotary frequencies by.
inline constexpr const char* kRotaryFactors = "rope_freqs.weight";

/// The "rope_scaling" that has these factors, [dimensions / 2] in F32, at base `theta`, in a model
/// of so long a context; null where all are 1. A GGUF file keeps the factors alone. Of the four
/// numbers of type "llama3", three are found from factors made so, within 1e-5 of each; the fourth,
/// low_freq_factor, is free and set to 1. Others, such as those of wide heads, become type
/// "longrope", the same at any length. Throws InputError, naming `where`, for another form, and for
/// a factor that is not positive and finite.
nlohmann::json scaling_of_factors(const GgufTensorPlace& factors, double theta,
                                  std::int64_t dimensions, std::int64_t context,
                                  const std::string& where);

}  // namespace regroup::models
