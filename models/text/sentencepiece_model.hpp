#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/text/tokenizer.hpp"
#include "models/text/tokenizer_config.hpp"

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

/// The same of a file's bytes; `where` names them. The format is that of sentencepiece_model.proto.
SentencePieceModel parse_sentencepiece_model(std::string_view bytes, const std::string& where);

/// The tokenizer of a model, which cuts text as libsentencepiece does, to the same ids. Tokens that
/// `config` adds are found in the text before. Special tokens stand around it as `add_bos_token`
/// and `add_eos_token` say; a T5Tokenizer has its end mark and its sentinels. Throws InputError,
/// naming `where`, for what is not there or not supported.
std::unique_ptr<Tokenizer> make_tokenizer(SentencePieceModel model, const TokenizerConfig& config,
                                          const std::string& where);

}  // namespace regroup::models
