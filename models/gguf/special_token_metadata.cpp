#include "models/gguf/tokenizer_metadata.hpp"

#include <string>

#include "search/base/error.hpp"

namespace regroup::models {
namespace {

/// The one token that stands on a side of every text, if any; elsewhere it is `usual`.
std::optional<std::int32_t> enclosing_token(const std::vector<std::int32_t>& ids,
                                            std::optional<std::int32_t> usual,
                                            const std::string& where) {
  if (ids.empty()) return usual;
  if (ids.size() > 1) {
    refuse_for_llama_cpp(where, "at most one token on each side of a text",
                         std::to_string(ids.size()));
  }
  return ids[0];
}

}  // namespace

void refuse_for_llama_cpp(const std::string& where, const std::string& expected,
                          const std::string& found) {
  throw InputError({.what = "llama.cpp would cut text otherwise than this tokenizer",
                    .where = where,
                    .expected = expected + "; or --no-tokenizer",
                    .found = found});
}

SpecialTokens special_tokens_of(const TokenizerConfig& config, const SpecialIds& around,
                                const std::vector<AddedToken>& added, const Vocabulary& vocabulary,
                                const ModelConfig& model, const std::string& where) {
  const auto id = [&](const std::optional<std::string>& token) {
    return token ? id_of(*token, added, vocabulary) : std::nullopt;
  };
  const auto begin = id(config.begin);
  const auto end = id(config.end);
  return {enclosing_token(around.before, begin ? begin : model.bos, where),
          enclosing_token(around.after, end ? end : model.eos, where),
          id(config.unknown),
          id(config.padding),
          !around.before.empty(),
          !around.after.empty()};
}

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
