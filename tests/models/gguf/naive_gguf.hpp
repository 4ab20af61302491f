#pragma once

#include <vector>

#include "tests/models/gguf/gguf_file.hpp"

namespace regroup::tests {

/// Logits [length][vocabulary] of what the file says by plain loops in double, as llama.cpp's
/// documentation of its architectures has it: heads by layer, neighbouring or opposite rows turned
/// together, factors of the frequencies, fused projections, norms of queries and keys.
std::vector<std::vector<double>> naive_gguf_logits(const GgufFile& file,
                                                   const std::vector<int>& ids);

}  // namespace regroup::tests
