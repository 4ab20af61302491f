#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "models/pretrained/pretrained_model.hpp"

namespace regroup::models {

/// A file of text or token ids as the model sees it.
struct TokenData {
  std::filesystem::path file;
  std::string sha256;  ///< of the file's bytes, hexadecimal
  std::vector<std::int32_t> ids;
};

/// Reads data for a model: `.bin` (token ids, little-endian uint16, or uint32 when the vocabulary
/// exceeds 65,535), `.npy` (one-dimensional, any integer type), any other name as UTF-8 text for
/// the model's own tokenizer. Throws InputError: no such file, not UTF-8, a broken file, no
/// tokenizer, an id outside the model's vocabulary.
TokenData read_token_data(const std::filesystem::path& file, const PretrainedModel& model);

/// Throws InputError, naming `where` and the token, for an id outside a vocabulary.
void require_vocabulary(std::span<const std::int32_t> ids, int vocabulary,
                        const std::string& where);

}  // namespace regroup::models
