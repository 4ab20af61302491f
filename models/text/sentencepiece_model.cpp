#include "models/text/sentencepiece_model.hpp"

#include <bit>

#include "models/files/mapped_file.hpp"
#include "models/text/pipeline/utf8.hpp"
#include "models/text/protobuf_fields.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

// Numbers of fields in sentencepiece_model.proto.
namespace model_field {
constexpr int kPiece = 1;
constexpr int kTrainer = 2;
constexpr int kNormalizer = 3;
}  // namespace model_field
namespace piece_field {
constexpr int kText = 1;
constexpr int kScore = 2;
constexpr int kType = 3;
}  // namespace piece_field
namespace trainer_field {
constexpr int kModelType = 3;
constexpr int kWhitespaceAsSuffix = 24;
constexpr int kByteFallback = 35;
constexpr int kUnknownPiece = 45;
constexpr int kBeginPiece = 46;
constexpr int kEndPiece = 47;
constexpr int kPaddingPiece = 48;
}  // namespace trainer_field
namespace normalizer_field {
constexpr int kCharacterMap = 2;
constexpr int kDummyPrefix = 3;
constexpr int kRemoveExtraWhitespaces = 4;
}  // namespace normalizer_field

/// What the special pieces are called.
struct SpecialNames {
  std::string unknown = "<unk>";
  std::string begin = "<s>";
  std::string end = "</s>";
  std::string padding = "<pad>";
};

[[noreturn]] void refuse_model(const std::string& where, const std::string& found) {
  throw InputError(
      {.what = "tokenizer is not a SentencePiece model", .where = where, .found = found});
}

Piece read_piece(std::string_view message) {
  Piece piece;
  for (const ProtobufField& field : protobuf_fields(message)) {
    if (field.number == piece_field::kText) piece.text = field.bytes;
    if (field.number == piece_field::kType) piece.type = static_cast<PieceType>(field.value);
    if (field.number == piece_field::kScore) {
      piece.score = std::bit_cast<float>(static_cast<std::uint32_t>(field.value));
    }
  }
  return piece;
}

void read_trainer(std::string_view trainer, SentencePieceModel& model, SpecialNames& names) {
  for (const ProtobufField& field : protobuf_fields(trainer)) {
    if (field.number == trainer_field::kModelType) {
      model.kind = static_cast<SentencePieceKind>(field.value);
    } else if (field.number == trainer_field::kWhitespaceAsSuffix) {
      model.blank_after_words = field.value != 0;
    } else if (field.number == trainer_field::kByteFallback) {
      model.byte_fallback = field.value != 0;
    } else if (field.number == trainer_field::kUnknownPiece) {
      names.unknown = field.bytes;
    } else if (field.number == trainer_field::kBeginPiece) {
      names.begin = field.bytes;
    } else if (field.number == trainer_field::kEndPiece) {
      names.end = field.bytes;
    } else if (field.number == trainer_field::kPaddingPiece) {
      names.padding = field.bytes;
    }
  }
}

void read_normalizer(std::string_view normalizer, SentencePieceModel& model) {
  for (const ProtobufField& field : protobuf_fields(normalizer)) {
    if (field.number == normalizer_field::kCharacterMap) {
      model.character_map = field.bytes;
    } else if (field.number == normalizer_field::kDummyPrefix) {
      model.blank_before_text = field.value != 0;
    } else if (field.number == normalizer_field::kRemoveExtraWhitespaces) {
      model.merges_blanks = field.value != 0;
    }
  }
}

/// The id of the piece of that name, if it is of that type.
std::optional<std::int32_t> find_piece(const SentencePieceModel& model, const std::string& name,
                                       PieceType type) {
  for (std::size_t id = 0; id < model.pieces.size(); ++id) {
    const Piece& piece = model.pieces[id];
    if (piece.type == type && piece.text == name) return static_cast<std::int32_t>(id);
  }
  return std::nullopt;
}

void require_sound(const SentencePieceModel& model, const std::string& where) {
  if (model.pieces.empty()) refuse_model(where, "no pieces");
  for (const Piece& piece : model.pieces) {
    if (piece.text.empty()) refuse_model(where, "an empty piece");
    if (first_invalid_utf8(piece.text)) refuse_model(where, "a piece that is not UTF-8");
    const bool known = piece.type >= PieceType::kNormal && piece.type <= PieceType::kByte;
    if (!known) refuse_model(where, "a piece of no known type");
  }
  if (!model.unknown) refuse_model(where, "no piece for unknown characters");
  const bool known =
      model.kind >= SentencePieceKind::kUnigram && model.kind <= SentencePieceKind::kCharacter;
  if (!known) refuse_model(where, "no known kind of model");
}

SentencePieceModel read_message(std::string_view bytes) {
  SentencePieceModel model;
  SpecialNames names;
  for (const ProtobufField& field : protobuf_fields(bytes)) {
    if (field.number == model_field::kPiece) model.pieces.push_back(read_piece(field.bytes));
    if (field.number == model_field::kTrainer) read_trainer(field.bytes, model, names);
    if (field.number == model_field::kNormalizer) read_normalizer(field.bytes, model);
  }
  model.begin = find_piece(model, names.begin, PieceType::kControl);
  model.end = find_piece(model, names.end, PieceType::kControl);
  model.padding = find_piece(model, names.padding, PieceType::kControl);
  model.unknown = find_piece(model, names.unknown, PieceType::kUnknown);
  return model;
}

}  // namespace

SentencePieceModel parse_sentencepiece_model(std::string_view bytes, const std::string& where) {
  SentencePieceModel model;
  try {
    model = read_message(bytes);
  } catch (const WorkError&) {
    refuse_model(where, "no message in Protocol Buffers' format");
  }
  require_sound(model, where);
  return model;
}

SentencePieceModel read_sentencepiece_model(const std::filesystem::path& file) {
  const MappedFile mapped(file);
  const auto bytes = mapped.bytes();
  return parse_sentencepiece_model({reinterpret_cast<const char*>(bytes.data()), bytes.size()},
                                   file.string());
}

}  // namespace regroup::models
