#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "models/checkpoint/gguf/gguf_metadata.hpp"
#include "models/text/tokenizer.hpp"

namespace regroup::models {

/// The tokenizer's files of the Hugging Face directory that a GGUF file stands for.
struct GgufTokenizerFiles {
  nlohmann::json tokenizer;        ///< tokenizer.json, of a byte-level BPE; else null
  std::string sentencepiece = {};  ///< tokenizer.model, of "llama" and "t5"; else empty
  nlohmann::json config;           ///< tokenizer_config.json, with the chat template
};

/// Reads "tokenizer.…" of a file's metadata: "gpt2" with a pre-tokenizer of llama_cpp_patterns as a
/// tokenizer.json; "llama" and "t5" as a SentencePiece model. What the file leaves out is as
/// llama.cpp takes it. Throws InputError, naming `where`, for other kinds, missing keys and lists
/// of other lengths, and texts that are no UTF-8.
GgufTokenizerFiles gguf_tokenizer_files(const GgufMetadata& metadata, const std::string& where);

/// The tokenizer of a GGUF file. Throws InputError as gguf_tokenizer_files and load_tokenizer.
std::unique_ptr<Tokenizer> load_gguf_tokenizer(const std::filesystem::path& file);

/// What gguf_tokenizer_files says, as contents by the files' names.
std::map<std::string, std::string> file_contents(const GgufTokenizerFiles& files);

}  // namespace regroup::models
