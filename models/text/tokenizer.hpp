#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace regroup::models {

/// Text to token ids. Immutable and thread-safe.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;
  /// Ids of valid UTF-8 text; with `special`, begin- and end-of-sequence ids stand where the
  /// tokenizer adds them.
  virtual std::vector<std::int32_t> encode(std::string_view text, bool special) const = 0;
  /// Number of ids it can give.
  virtual int vocabulary() const = 0;
};

/// The tokenizer of a Hugging Face directory (`tokenizer.model`). Throws InputError if there is
/// none that is supported, or it is broken.
std::unique_ptr<Tokenizer> load_tokenizer(const std::filesystem::path& directory);

}  // namespace regroup::models
