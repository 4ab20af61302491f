#pragma once

#include "models/gguf/gguf_metadata.hpp"
#include "models/pretrained/pretrained_model.hpp"

namespace regroup::models {

/// What GGUF says of a model's tokenizer and chat template. Throws InputError if there is no
/// tokenizer, it is broken, or llama.cpp would cut text otherwise than it does.
GgufMetadata gguf_tokenizer(const PretrainedModel& model);

/// The same of a file that is to be read without a tokenizer: by token ids alone.
GgufMetadata gguf_without_tokenizer();

}  // namespace regroup::models
