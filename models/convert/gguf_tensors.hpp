#pragma once

#include <optional>
#include <vector>

#include "models/convert/converted_model.hpp"
#include "models/gguf/gguf_architecture.hpp"
#include "models/gguf/gguf_writer.hpp"

namespace regroup::models {

/// The tensors of a converted model as llama.cpp's architecture names and orders them. Norms,
/// biases and factors are F32; matrices are `type`, or as the checkpoint has them, but F16 where
/// rows do not fit Q8_0. Of a quantized GGUF file, what is not made anew is copied with its blocks,
/// and the rest is F16. Where the architecture turns neighbouring rows of a head, rows c and
/// c + d/2 of queries and keys, weights and biases, become 2c and 2c + 1. `converted` must live
/// until the tensors are written; one layer is in memory at a time.
std::vector<GgufTensor> gguf_tensors(ConvertedModel& converted,
                                     const GgufArchitecture& architecture,
                                     std::optional<GgmlType> type);

}  // namespace regroup::models
