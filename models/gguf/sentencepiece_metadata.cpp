#include "models/gguf/tokenizer_metadata.hpp"

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "models/files/json_fields.hpp"
#include "models/files/json_file.hpp"
#include "models/gguf/gguf_vocabulary.hpp"
#include "models/text/pipeline/added_tokens.hpp"
#include "models/text/pipeline/vocabulary.hpp"
#include "models/text/sentencepiece_model.hpp"
#include "models/text/tokenizer_config.hpp"
#include "models/text/tokenizer_json.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

using nlohmann::json;

/// Below every score of a tokenizer, as llama.cpp's own converter writes it.
constexpr float kAddedScore = -1000;

void refuse_unlike_llama_cpp(const SentencePieceModel& model, const std::string& where) {
  struct Rule {
    bool broken;
    const char* expected;
    const char* found;
  };
  const bool bpe = model.kind == SentencePieceKind::kBpe;
  for (const Rule& rule :
       {Rule{!bpe && model.kind != SentencePieceKind::kUnigram, "BPE or unigram",
             "words or characters"},
        Rule{model.blank_after_words, "blanks before words", "blanks after them"},
        Rule{bpe && !model.character_map.empty(), "BPE of the text as it is",
             "BPE of normalized text"},
        Rule{bpe && model.merges_blanks, "BPE of the text as it is", "BPE of merged blanks"},
        Rule{bpe && !model.byte_fallback, "BPE with a token for every byte", "BPE without them"},
        Rule{!bpe && model.byte_fallback, "unigram without tokens for bytes",
             "unigram with them"}}) {
    if (!rule.broken) continue;
    throw InputError({.what = "llama.cpp would cut text otherwise than this tokenizer",
                      .where = where,
                      .expected = std::string(rule.expected) + "; or --no-tokenizer",
                      .found = rule.found});
  }
}

/// Tokens that were added to the pieces, in added_tokens.json …
std::vector<AddedToken> tokens_of_file(const std::filesystem::path& file) {
  std::vector<AddedToken> tokens;
  if (!std::filesystem::exists(file)) return tokens;
  const json object = read_json_file(file);
  require_object(object, file.string());
  for (const auto& [content, id] : object.items()) {
    AddedToken& token = tokens.emplace_back();
    token.content = content;
    token.id = checked_id(id, file.string());
  }
  return tokens;
}

/// … and in tokenizer_config.json, which says more of them.
std::vector<AddedToken> tokens_of_config(const std::filesystem::path& file) {
  std::vector<AddedToken> tokens;
  if (!std::filesystem::exists(file)) return tokens;
  const std::string where = file.string();
  const json config = read_json_file(file);
  const json* listed = optional_object(config, "added_tokens_decoder", where);
  if (listed == nullptr) return tokens;
  const std::string field = field_of(where, "added_tokens_decoder");
  for (const auto& [id, entry] : listed->items()) {
    require_object(entry, field);
    tokens.push_back(read_added_token(entry, checked_id(parse_json(id, field), field), field));
  }
  return tokens;
}

/// … and in a tokenizer.json beside the model.
std::vector<AddedToken> tokens_of_json(const std::filesystem::path& file) {
  std::vector<AddedToken> tokens;
  if (!std::filesystem::exists(file)) return tokens;
  const std::string where = file.string();
  const json tokenizer = read_json_file(file);
  const json* listed = optional_array(tokenizer, "added_tokens", where);
  if (listed == nullptr) return tokens;
  const std::string field = field_of(where, "added_tokens");
  for (const json& entry : *listed) {
    require_object(entry, field);
    tokens.push_back(read_added_token(entry, checked_id(entry.value("id", json()), field), field));
  }
  return tokens;
}

/// All of them for which the model has rows; what a later file says of an id counts.
std::vector<AddedToken> added_tokens(const std::filesystem::path& directory,
                                     const GgufVocabulary& vocabulary) {
  std::vector<AddedToken> tokens = tokens_of_file(directory / "added_tokens.json");
  for (const auto& more : {tokens_of_config(directory / "tokenizer_config.json"),
                           tokens_of_json(directory / "tokenizer.json")}) {
    tokens.insert(tokens.end(), more.begin(), more.end());
  }
  std::erase_if(tokens, [&](const AddedToken& token) { return !vocabulary.holds(token.id); });
  return tokens;
}

/// llama.cpp looks for the user's tokens in the text itself, where blanks are blanks.
std::string text_of_piece(std::string text, PieceType type) {
  constexpr std::string_view kMark = "\xe2\x96\x81";  // "▁"
  if (type != PieceType::kUserDefined) return text;
  for (std::size_t at = text.find(kMark); at != std::string::npos; at = text.find(kMark, at)) {
    text.replace(at, kMark.size(), " ");
  }
  return text;
}

/// Puts an added token among the pieces: under its own name, which may be another than that of the
/// piece of its id, and as one that is found in text before it is cut.
void set_added(GgufVocabulary& vocabulary, const AddedToken& token,
               const std::vector<Piece>& pieces) {
  const PieceType type = token.special ? PieceType::kControl : PieceType::kUserDefined;
  const auto id = static_cast<std::size_t>(token.id);
  if (id >= pieces.size() || pieces[id].text != token.content) {
    vocabulary.set(token.id, text_of_piece(token.content, type), kAddedScore, type);
    return;
  }
  const PieceType own = pieces[id].type;
  const bool says_more =
      own == PieceType::kUnknown || own == PieceType::kControl || own == PieceType::kByte;
  const PieceType kept = says_more ? own : type;
  vocabulary.set(token.id, text_of_piece(token.content, kept), pieces[id].score, kept);
}

/// The id of a token that tokenizer_config.json names, where the pieces do not have it themselves.
std::optional<std::int32_t> configured(const std::optional<std::string>& content,
                                       const std::vector<AddedToken>& added,
                                       std::optional<std::int32_t> own) {
  for (const AddedToken& token : added) {
    if (content == token.content) return token.id;
  }
  return own;
}

/// Takes what stands around a text from the tokenizer.json that stands beside the model, which
/// counts for text; one that lists added tokens alone says nothing of it.
void take_surroundings(const std::filesystem::path& pipeline, SpecialTokens& special) {
  if (!std::filesystem::exists(pipeline) || !read_json_file(pipeline).contains("model")) return;
  const std::vector<std::int32_t> around = load_tokenizer_json(pipeline)->encode("", true);
  special.add_begin = !around.empty() && around.front() == special.begin;
  const bool is_begin = special.add_begin && around.size() == 1;
  special.add_end = !around.empty() && around.back() == special.end && !is_begin;
}

void append_normalizer(GgufMetadata& metadata, const SentencePieceModel& model) {
  metadata.push_back({"tokenizer.ggml.add_space_prefix", model.blank_before_text});
  if (model.kind == SentencePieceKind::kBpe) return;
  metadata.push_back({"tokenizer.ggml.remove_extra_whitespaces", model.merges_blanks});
  if (model.character_map.empty()) return;
  metadata.push_back(
      {"tokenizer.ggml.precompiled_charsmap",
       std::vector<std::uint8_t>(model.character_map.begin(), model.character_map.end())});
}

}  // namespace

GgufMetadata sentencepiece_metadata(const std::filesystem::path& file, const ModelConfig& config) {
  const std::string where = file.string();
  const SentencePieceModel model = read_sentencepiece_model(file);
  refuse_unlike_llama_cpp(model, where);
  require_rows(model.pieces.size(), config.vocabulary, where);
  GgufVocabulary vocabulary(config.vocabulary);
  std::int32_t id = 0;
  for (const Piece& piece : model.pieces) {
    vocabulary.set(id++, text_of_piece(piece.text, piece.type), piece.score, piece.type);
  }
  const auto added = added_tokens(file.parent_path(), vocabulary);
  for (const AddedToken& token : added) set_added(vocabulary, token, model.pieces);
  const bool bpe = model.kind == SentencePieceKind::kBpe;
  GgufMetadata metadata = {{"tokenizer.ggml.model", std::string(bpe ? "llama" : "t5")},
                           {"tokenizer.ggml.pre", std::string("default")}};
  vocabulary.append_to(metadata, true, where);
  const TokenizerConfig settings =
      read_tokenizer_config(file.parent_path() / "tokenizer_config.json");
  SpecialTokens special{configured(settings.begin, added, model.begin),
                        configured(settings.end, added, model.end),
                        configured(settings.unknown, added, model.unknown),
                        configured(settings.padding, added, model.padding),
                        settings.add_begin,
                        settings.add_end};
  take_surroundings(file.parent_path() / "tokenizer.json", special);
  append_special_tokens(metadata, special);
  append_normalizer(metadata, model);
  return metadata;
}

}  // namespace regroup::models
