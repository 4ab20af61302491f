#include "models/text/sentencepiece_bytes.hpp"

#include <bit>
#include <optional>
#include <string_view>

#include "models/files/little_endian.hpp"

namespace regroup::models {
namespace {

/// A message of Protocol Buffers that is put together.
class Message {
 public:
  void put_number(int field, std::uint64_t value) {
    put_tag(field, 0);
    put_varint(value);
  }
  void put_float(int field, float value) {
    put_tag(field, 5);
    append_little_endian(bytes_, std::bit_cast<std::uint32_t>(value), sizeof value);
  }
  void put_bytes(int field, std::string_view bytes) {
    put_tag(field, 2);
    put_varint(bytes.size());
    bytes_ += bytes;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  void put_tag(int field, unsigned wire) { put_varint(static_cast<unsigned>(field) << 3U | wire); }
  void put_varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7U) bytes_ += static_cast<char>(0x80U | (value & 0x7fU));
    bytes_ += static_cast<char>(value);
  }

  std::string bytes_;
};

// Numbers of fields in sentencepiece_model.proto.

std::string piece_bytes(const Piece& piece) {
  Message message;
  message.put_bytes(1, piece.text);
  message.put_float(2, piece.score);
  message.put_number(3, static_cast<std::uint64_t>(piece.type));
  return message.bytes();
}

std::string trainer_bytes(const SentencePieceModel& model) {
  Message message;
  message.put_number(3, static_cast<std::uint64_t>(model.kind));
  message.put_number(4, model.pieces.size());
  if (model.blank_after_words) message.put_number(24, 1);
  message.put_number(35, model.byte_fallback ? 1 : 0);
  const auto put_special = [&](int id_field, int text_field, std::optional<std::int32_t> id) {
    // -1: there is none; its ten bytes are those of the signed number.
    message.put_number(id_field, id ? static_cast<std::uint64_t>(*id) : ~std::uint64_t{0});
    if (id) message.put_bytes(text_field, model.pieces[static_cast<std::size_t>(*id)].text);
  };
  put_special(40, 45, model.unknown);
  put_special(41, 46, model.begin);
  put_special(42, 47, model.end);
  put_special(43, 48, model.padding);
  return message.bytes();
}

std::string normalizer_bytes(const SentencePieceModel& model) {
  Message message;
  message.put_bytes(1, model.character_map.empty() ? "identity" : "user_defined");
  message.put_bytes(2, model.character_map);
  message.put_number(3, model.blank_before_text ? 1 : 0);
  message.put_number(4, model.merges_blanks ? 1 : 0);
  message.put_number(5, 1);
  return message.bytes();
}

}  // namespace

std::string sentencepiece_bytes(const SentencePieceModel& model) {
  Message message;
  for (const Piece& piece : model.pieces) message.put_bytes(1, piece_bytes(piece));
  message.put_bytes(2, trainer_bytes(model));
  message.put_bytes(3, normalizer_bytes(model));
  return message.bytes();
}

}  // namespace regroup::models
