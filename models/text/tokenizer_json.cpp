#include "models/text/tokenizer_json.hpp"

#include <fmt/format.h>

#include "models/files/json_fields.hpp"
#include "models/files/json_file.hpp"
#include "models/files/printable.hpp"
#include "models/text/llama_class.hpp"
#include "models/text/pipeline/word_piece.hpp"
#include "models/text/pipeline_tokenizer.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

using nlohmann::json;

const json& field_or_null(const json& object, const char* key) {
  static const json null;
  const auto field = object.find(key);
  return field == object.end() ? null : *field;
}

/// What the file says, or what goes with its model.
Decoder read_decoder(const TokenizerJson& source, bool bytes) {
  Decoder decoder(source.vocabulary);
  const std::string where = source.part_where("model");
  std::vector<Decoder::Step> steps;
  if (!source.part("decoder").is_null()) {
    steps = read_decoder_steps(source.part("decoder"), source.part_where("decoder"));
  } else if (bytes) {
    steps.push_back(byte_level_step());
  } else if (word_model_kind(source.model(), where) == WordModelKind::kWordPiece) {
    const auto prefix = optional_string(source.model(), "continuing_subword_prefix", where);
    steps.push_back(word_piece_step(prefix.value_or(WordPieceOptions().continuation), true));
  } else {
    steps.push_back(blank_step());
  }
  for (Decoder::Step& step : steps) decoder.add_step(std::move(step));
  return decoder;
}

std::vector<AddedToken> read_added_tokens(const json& tokenizer, const Vocabulary& vocabulary,
                                          const std::string& where) {
  std::vector<AddedToken> tokens;
  const json* list = optional_array(tokenizer, "added_tokens", where);
  if (list == nullptr) return tokens;
  for (const json& entry : *list) {
    const std::string here = fmt::format("{}, added token {}", where, tokens.size());
    require_object(entry, here);
    const std::int32_t id = checked_id(field_or_null(entry, "id"), here);
    tokens.push_back(read_added_token(entry, id, here));
    const auto known = vocabulary.find(tokens.back().content);
    if (known && *known != id) {
      throw InputError({.what = "added token has another id than in the vocabulary",
                        .where = here,
                        .expected = std::to_string(*known),
                        .found = std::to_string(id)});
    }
  }
  return tokens;
}

}  // namespace

const json& TokenizerJson::part(const char* key) const {
  return field_or_null(file, key);
}

std::string TokenizerJson::part_where(const char* key) const {
  return field_of(where, key);
}

TokenizerJson parse_tokenizer_json(json file, const std::string& where, TokenizerConfig config,
                                   const std::string& config_where) {
  TokenizerJson tokenizer{std::move(file), where, config_where, {}, {}, {}, std::move(config)};
  const json& model = required_object(tokenizer.file, "model", where);
  tokenizer.vocabulary = read_model_vocabulary(model, tokenizer.part_where("model"));
  tokenizer.added = read_added_tokens(tokenizer.file, tokenizer.vocabulary, where);
  tokenizer.special =
      read_post_processor(tokenizer.part("post_processor"), tokenizer.part_where("post_processor"));
  add_configured_ids(tokenizer.special, tokenizer.config, tokenizer.added, tokenizer.vocabulary,
                     config_where);
  return tokenizer;
}

TokenizerJson read_tokenizer_json(const std::filesystem::path& file,
                                  const std::filesystem::path& config) {
  return parse_tokenizer_json(read_json_file(file), file.string(), read_tokenizer_config(config),
                              config.string());
}

std::unique_ptr<Tokenizer> make_tokenizer(TokenizerJson source) {
  rebuild_as_llama_class(source);
  const std::string where = source.part_where("model");
  const bool is_bpe = word_model_kind(source.model(), where) == WordModelKind::kBpe;
  TokenizerParts parts;
  parts.vocabulary = source.vocabulary.size();
  parts.normalizer = read_normalizer(source.part("normalizer"), source.part_where("normalizer"));
  parts.pre_tokenizer =
      read_pre_tokenizer(source.part("pre_tokenizer"), is_bpe, source.part_where("pre_tokenizer"));
  const bool bytes = parts.pre_tokenizer.byte_level;
  parts.prefix = prefix_id(source.config, source.added, source.vocabulary);
  add_configured_tokens(source.added, source.config, source.vocabulary);
  parts.left_out = special_token_ids(source.config, source.added, source.vocabulary);
  parts.decoder = read_decoder(source, bytes);
  parts.added = std::move(source.added);
  parts.special = std::move(source.special);
  parts.model = read_word_model(source.model(), std::move(source.vocabulary), bytes, where);
  return make_pipeline_tokenizer(std::move(parts));
}

std::unique_ptr<Tokenizer> load_tokenizer_json(const std::filesystem::path& file) {
  const std::filesystem::path config = file.parent_path() / "tokenizer_config.json";
  return make_tokenizer(parse_tokenizer_json(read_json_file(file), file.string(),
                                             read_directory_config(config.parent_path()),
                                             config.string()));
}

}  // namespace regroup::models
