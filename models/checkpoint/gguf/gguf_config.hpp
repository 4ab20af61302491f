#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "models/checkpoint/gguf/gguf_header.hpp"
#include "models/checkpoint/gguf/gguf_source.hpp"

namespace regroup::models {

/// The config.json that a GGUF file stands for, in Hugging Face's terms; `where` names the file.
/// Whether there are biases, and a head of its own, the tensors say. Throws InputError: a key that
/// is missing or has another type or an impossible value, one of the architecture's that is not
/// known, tensors that not all layers have, kinds of rotary scaling that are not known.
nlohmann::json gguf_config(const GgufHeader& header, const GgufSource& source,
                           const std::string& where);

}  // namespace regroup::models
