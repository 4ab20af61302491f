#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "models/text/tokenizer.hpp"

namespace regroup::models {

// Tokenizers of what is in memory, from another file say. `where` names the source in messages.
// `config` has the fields of a tokenizer_config.json; an empty object says nothing.

/// The tokenizer of a tokenizer.json. Throws InputError as load_tokenizer.
std::unique_ptr<Tokenizer> make_json_tokenizer(nlohmann::json tokenizer,
                                               const nlohmann::json& config,
                                               const std::string& where);

/// The tokenizer of a SentencePiece model's bytes. Throws InputError as load_tokenizer.
std::unique_ptr<Tokenizer> make_sentencepiece_tokenizer(std::string_view model,
                                                        const nlohmann::json& config,
                                                        const std::string& where);

}  // namespace regroup::models
