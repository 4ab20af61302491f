#include "models/text/sentencepiece_model.hpp"

#include <sentencepiece_processor.h>

#include "models/files/mapped_file.hpp"
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
constexpr int kType = 3;
}  // namespace piece_field
namespace trainer_field {
constexpr int kModelType = 3;
constexpr int kWhitespaceAsSuffix = 24;
constexpr int kByteFallback = 35;
}  // namespace trainer_field
namespace normalizer_field {
constexpr int kCharacterMap = 2;
constexpr int kDummyPrefix = 3;
constexpr int kRemoveExtraWhitespaces = 4;
}  // namespace normalizer_field

PieceType read_type(std::string_view piece) {
  PieceType type = PieceType::kNormal;
  for (const ProtobufField& field : protobuf_fields(piece)) {
    if (field.number == piece_field::kType) type = static_cast<PieceType>(field.value);
  }
  return type;
}

void read_trainer(std::string_view trainer, SentencePieceModel& model) {
  for (const ProtobufField& field : protobuf_fields(trainer)) {
    if (field.number == trainer_field::kModelType) {
      model.kind = static_cast<SentencePieceKind>(field.value);
    } else if (field.number == trainer_field::kWhitespaceAsSuffix) {
      model.blank_after_words = field.value != 0;
    } else if (field.number == trainer_field::kByteFallback) {
      model.byte_fallback = field.value != 0;
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

std::optional<std::int32_t> id_or_none(int id) {
  return id < 0 ? std::nullopt : std::optional<std::int32_t>(id);
}

}  // namespace

void load_processor(const std::filesystem::path& file,
                    sentencepiece::SentencePieceProcessor& processor) {
  const MappedFile mapped(file);
  const auto bytes = mapped.bytes();
  const auto status = processor.LoadFromSerializedProto(
      {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  if (status.ok()) return;
  throw InputError({.what = "tokenizer is not a SentencePiece model",
                    .where = file.string(),
                    .found = status.ToString()});
}

SentencePieceModel read_sentencepiece_model(const std::filesystem::path& file) {
  sentencepiece::SentencePieceProcessor processor;
  load_processor(file, processor);
  SentencePieceModel model;
  // libsentencepiece gives away neither the normalizer nor which pieces the user defined.
  const std::string proto = processor.serialized_model_proto();
  for (const ProtobufField& field : protobuf_fields(proto)) {
    if (field.number == model_field::kPiece) {
      const int id = static_cast<int>(model.pieces.size());
      model.pieces.push_back(
          {processor.IdToPiece(id), processor.GetScore(id), read_type(field.bytes)});
    } else if (field.number == model_field::kTrainer) {
      read_trainer(field.bytes, model);
    } else if (field.number == model_field::kNormalizer) {
      read_normalizer(field.bytes, model);
    }
  }
  model.begin = id_or_none(processor.bos_id());
  model.end = id_or_none(processor.eos_id());
  model.unknown = id_or_none(processor.unk_id());
  model.padding = id_or_none(processor.pad_id());
  return model;
}

}  // namespace regroup::models
