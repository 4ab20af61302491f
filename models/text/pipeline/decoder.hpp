#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "models/text/pipeline/added_tokens.hpp"
#include "models/text/pipeline/vocabulary.hpp"

namespace regroup::models {

/// Token ids back to text, as the decoders of Hugging Face's library do it: the tokens' texts go
/// through steps, one after another, and are put together. Immutable once built, and then
/// thread-safe.
class Decoder {
 public:
  using Tokens = std::vector<std::string>;
  using Step = std::function<void(Tokens&)>;

  Decoder() = default;
  explicit Decoder(const Vocabulary& vocabulary);
  void add_step(Step step) { steps_.push_back(std::move(step)); }

  /// An added token stands for its content, in normalized text as it is looked for there.
  void add(const AddedToken& token) { tokens_[token.id] = token.content; }
  /// This id leaves no text: a special token.
  void leave_out(std::int32_t id) { tokens_.erase(id); }

  /// The text's bytes, which need not be whole characters; ids that no token has leave none.
  std::string operator()(std::span<const std::int32_t> ids) const;

 private:
  std::unordered_map<std::int32_t, std::string> tokens_;
  std::vector<Step> steps_;
};

/// Tokens in `byte_alphabet()` become the bytes; one with another character is its own text.
Decoder::Step byte_level_step();
/// Of a WordPiece: a blank before every token but the first and those that begin with
/// `continuation`, which is cut off; with `clean` no blank before a full stop or "n't" and the
/// like.
Decoder::Step word_piece_step(std::string continuation, bool clean);

/// A blank between tokens, as where a tokenizer.json has no decoder.
Decoder::Step blank_step();

/// The `decoder` of a tokenizer.json: ByteLevel, WordPiece, Metaspace, BPEDecoder, ByteFallback,
/// Fuse, Strip, Replace or a Sequence of these. Bytes that are no character stay bytes. Throws
/// InputError for another one and for broken fields; `where` names the object.
std::vector<Decoder::Step> read_decoder_steps(const nlohmann::json& node, const std::string& where);

}  // namespace regroup::models
