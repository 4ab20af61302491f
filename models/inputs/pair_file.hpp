#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "models/inputs/windows.hpp"
#include "models/pretrained/pretrained_model.hpp"

namespace regroup::models {

/// Pairs of texts as an encoder-decoder reads them.
struct PairFile {
  std::string sha256;  ///< of the file's bytes, hexadecimal
  std::vector<TokenPair> pairs;
};

/// Reads JSON lines, an object with the texts "source" and "target" a line, and tokenizes them;
/// each ends with the model's end-of-sequence token. Throws InputError, naming the line, for what
/// is not such an object, for a text that is too long, and for a file without lines.
PairFile read_pair_file(const std::filesystem::path& file, const PretrainedModel& model);

}  // namespace regroup::models
