#include "models/gguf/tokenizer_metadata.hpp"

#include <string>

namespace regroup::models {

void append_special_tokens(GgufMetadata& metadata, const SpecialTokens& tokens) {
  const auto add = [&](const char* name, std::optional<std::int32_t> id) {
    if (!id) return;
    metadata.push_back(
        {std::string("tokenizer.ggml.") + name + "_token_id", static_cast<std::uint32_t>(*id)});
  };
  add("bos", tokens.begin);
  add("eos", tokens.end);
  add("unknown", tokens.unknown);
  add("padding", tokens.padding);
  metadata.push_back({"tokenizer.ggml.add_bos_token", tokens.add_begin});
  metadata.push_back({"tokenizer.ggml.add_eos_token", tokens.add_end});
}

}  // namespace regroup::models
