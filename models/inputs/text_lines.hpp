#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/files/json_lines.hpp"
#include "models/files/mapped_file.hpp"
#include "models/pretrained/pretrained_model.hpp"
#include "models/text/tokenizer.hpp"

namespace regroup::models {

/// A file of JSON lines whose fields are texts that one model reads.
class TextLines {
 public:
  /// Throws InputError where the file or the model's tokenizer cannot be read.
  TextLines(const std::filesystem::path& file, const PretrainedModel& model);

  /// Of the file's bytes, hexadecimal.
  const std::string& sha256() const { return sha256_; }
  /// Every line; throws InputError for one that is no object and, naming what there should be and
  /// an example, for a file without any.
  std::vector<JsonLine> all(std::string_view content, std::string_view example) const;
  /// A field's text as ids, with the special tokens that the tokenizer puts around it and, of a
  /// model that has an end of sequence, that at its end. Throws InputError, naming line and field,
  /// for no text, an empty one and one that is longer than the model's context.
  std::vector<std::int32_t> ids(const JsonLine& line, std::string_view field) const;

 private:
  std::string file_;
  MappedFile mapped_;
  std::string sha256_;
  std::unique_ptr<const Tokenizer> tokenizer_;
  int context_;
  std::optional<std::int32_t> end_;
};

}  // namespace regroup::models
