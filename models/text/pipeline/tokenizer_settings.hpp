#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>

namespace regroup::models {

/// The key of tokenizer_config.json that lists added tokens by their ids.
inline constexpr const char* kAddedTokensKey = "added_tokens_decoder";

/// tokenizer_config.json as an object. Where it lists no added tokens, what special_tokens_map.json
/// beside it says counts before it, as in transformers. Throws InputError for a broken file; one
/// that is not there says nothing.
nlohmann::json read_tokenizer_settings(const std::filesystem::path& file);

}  // namespace regroup::models
