#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "models/text/tokenizer.hpp"

namespace sentencepiece {
class SentencePieceProcessor;
}

namespace regroup::models {

/// What a piece is; the values are those of SentencePiece's file format.
enum class PieceType : std::uint8_t {
  kNormal = 1,
  kUnknown = 2,
  kControl = 3,
  kUserDefined = 4,
  kUnused = 5,
  kByte = 6,
};

struct Piece {
  std::string text;
  float score = 0;
  PieceType type = PieceType::kNormal;
};

/// How a SentencePiece model cuts text; the values are those of its file format.
enum class SentencePieceKind : std::uint8_t { kUnigram = 1, kBpe = 2, kWord = 3, kCharacter = 4 };

/// What a SentencePiece model holds, by id.
struct SentencePieceModel {
  SentencePieceKind kind = SentencePieceKind::kUnigram;
  std::vector<Piece> pieces;
  std::optional<std::int32_t> begin;
  std::optional<std::int32_t> end;
  std::optional<std::int32_t> unknown;
  std::optional<std::int32_t> padding;
  bool byte_fallback = false;      ///< characters without a piece become bytes
  bool blank_before_text = true;   ///< `add_dummy_prefix`
  bool merges_blanks = true;       ///< `remove_extra_whitespaces`
  bool blank_after_words = false;  ///< `treat_whitespace_as_suffix`
  std::string character_map;       ///< `precompiled_charsmap`; empty: characters stay as they are
};

/// Reads a model file. Throws InputError for a broken one.
SentencePieceModel read_sentencepiece_model(const std::filesystem::path& file);

/// Has libsentencepiece read a model file. Throws InputError for a broken one.
void load_processor(const std::filesystem::path& file,
                    sentencepiece::SentencePieceProcessor& processor);

/// A SentencePiece model, read by libsentencepiece. Special tokens are added as `add_bos_token` and
/// `add_eos_token` of tokenizer_config.json say; without that file none are. Throws InputError for
/// a broken file.
std::unique_ptr<Tokenizer> load_sentencepiece(const std::filesystem::path& model,
                                              const std::filesystem::path& config);

}  // namespace regroup::models
