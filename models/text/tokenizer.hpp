#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace regroup::models {

/// Text to token ids and back. Immutable and thread-safe.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;
  /// Ids of valid UTF-8 text; with `special`, begin- and end-of-sequence ids stand where the
  /// tokenizer adds them.
  virtual std::vector<std::int32_t> encode(std::string_view text, bool special) const = 0;
  /// The bytes of the text that ids stand for, without special tokens; ids that no token has leave
  /// nothing. Ids may end, or begin, inside of a character. The text that was encoded comes back as
  /// far as encoding keeps it: byte-level BPE gives the normalized text, SentencePiece what its
  /// library decodes but for bytes that are no character, which stay bytes, WordPiece what Hugging
  /// Face's decoder makes of it, in lower case for instance.
  virtual std::string decode(std::span<const std::int32_t> ids) const = 0;
  /// The id that stands before a text where nothing else does: begin-of-sequence, else
  /// end-of-sequence, where it has one of them.
  virtual std::optional<std::int32_t> prefix() const = 0;
  /// Number of ids it can give.
  virtual int vocabulary() const = 0;
};

/// Every file that a tokenizer may be read from.
inline constexpr std::array kTokenizerFiles = {"tokenizer.model",
                                               "spiece.model",
                                               "tokenizer.json",
                                               "vocab.json",
                                               "merges.txt",
                                               "added_tokens.json",
                                               "tokenizer_config.json",
                                               "vocab.txt",
                                               "special_tokens_map.json"};

/// The tokenizer of a Hugging Face directory, the first that is there of: `tokenizer.json`;
/// `tokenizer.model` (SentencePiece, or tiktoken's text form) or `spiece.model`; `vocab.json` with
/// `merges.txt` (byte-level BPE); `vocab.txt` (BERT). Each with what `tokenizer_config.json`,
/// `special_tokens_map.json` and `added_tokens.json` add. Of a GGUF file, the one in it. Throws
/// InputError if there is none, or it is broken or not supported.
std::unique_ptr<Tokenizer> load_tokenizer(const std::filesystem::path& directory);

}  // namespace regroup::models
