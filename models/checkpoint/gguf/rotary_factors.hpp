#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "models/checkpoint/gguf/gguf_header.hpp"

namespace regroup::models {

/// The tensor of the numbers that llama.cpp divides rotary frequencies by.
inline constexpr const char* kRotaryFactors = "rope_freqs.weight";

/// "rope_scaling" of type "llama3" that has these factors, [dimensions / 2] in F32, at base
/// `theta`; null where all are 1. A GGUF file keeps the factors alone: of the four numbers that
/// they were made from, three are found, the fourth, low_freq_factor, is free and set to 1. Throws
/// InputError, naming `where`, where no numbers of "llama3" give them, within 1e-5 of each.
nlohmann::json llama3_scaling(const GgufTensorPlace& factors, double theta, std::int64_t dimensions,
                              const std::string& where);

}  // namespace regroup::models
