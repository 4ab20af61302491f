#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "models/pretrained/pretrained_model.hpp"
#include "models/text/document_join.hpp"

namespace regroup::models {

/// A file of text or token ids as the model sees it.
struct TokenData {
  std::filesystem::path file;
  std::string sha256;  ///< of the file's bytes, hexadecimal
  std::vector<std::int32_t> ids;
  std::size_t documents = 0;  ///< that the ids were joined of; 0: of no documents
};

/// Whether a file's name says that it holds ids (`.bin`, `.npy`), or documents (`.jsonl`).
bool holds_ids(const std::filesystem::path& file);
bool holds_documents(const std::filesystem::path& file);

/// Reads data for a model: `.bin` (token ids, read_bin_ids), `.npy` (one-dimensional, any integer
/// type), `.jsonl` (documents, joined as `join` says) and any other name as UTF-8 text, both for
/// the model's own tokenizer. Throws InputError: no such file, not UTF-8, a broken file, no
/// tokenizer, an id outside the model's vocabulary.
TokenData read_token_data(const std::filesystem::path& file, const PretrainedModel& model,
                          DocumentJoin join = DocumentJoin::kEnd);

/// Throws InputError, naming `where` and the token, for an id outside a vocabulary.
void require_vocabulary(std::span<const std::int32_t> ids, int vocabulary,
                        const std::string& where);

}  // namespace regroup::models
