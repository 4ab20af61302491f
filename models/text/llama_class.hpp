#pragma once

#include "models/text/tokenizer_json.hpp"

namespace regroup::models {

/// What transformers' LlamaTokenizer makes of a tokenizer.json whose pre-tokenizer is not one of
/// bytes: vocabulary, merges, added tokens and post-processor are the file's; blanks become visible
/// by the class's own rule, `legacy` and `add_prefix_space` of tokenizer_config.json, in place of
/// the file's normalizer and pre-tokenizer. Leaves any other tokenizer as it is.
void rebuild_as_llama_class(TokenizerJson& source);

}  // namespace regroup::models
