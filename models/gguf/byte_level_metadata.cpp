#include "models/gguf/tokenizer_metadata.hpp"

#include <nlohmann/json.hpp>
#include <utility>

#include "models/files/json_fields.hpp"
#include "models/gguf/gguf_vocabulary.hpp"
#include "models/text/gpt2_tokenizer.hpp"
#include "models/text/tokenizer.hpp"
#include "models/text/tokenizer_json.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

/// A byte-level BPE, whatever files it was read from.
struct ByteLevelTokenizer {
  Gpt2Files files;
  std::string pre_tokenizer;  ///< llama.cpp's name
  std::string where;
};

[[noreturn]] void refuse_tokenizer(const std::string& where, const std::string& expected,
                                   const std::string& found) {
  throw InputError({.what = "llama.cpp would cut text otherwise than this tokenizer",
                    .where = where,
                    .expected = expected + "; or --no-tokenizer",
                    .found = found});
}

void refuse_normalizer(const TokenizerJson& source) {
  const nlohmann::json& node = source.part("normalizer");
  const std::string where = source.part_where("normalizer");
  if (node.is_null()) return;
  const std::string type = required_string(node, "type", where);
  if (type != "NFC") refuse_tokenizer(where, "none or NFC", type);
}

ByteLevelTokenizer read_json(const std::filesystem::path& file,
                             const std::filesystem::path& config) {
  TokenizerJson source = read_tokenizer_json(file, config);
  const std::string where = source.part_where("model");
  const std::string type = required_string(source.model(), "type", where);
  if (type != "BPE") refuse_tokenizer(where, "byte-level BPE", type);
  refuse_normalizer(source);
  const bool whole_words = optional_bool(source.model(), "ignore_merges", where).value_or(false);
  std::string pre_tokenizer = llama_cpp_pre_tokenizer(source.part("pre_tokenizer"), whole_words,
                                                      source.part_where("pre_tokenizer"));
  return {{std::move(source.vocabulary), read_merges(source.model(), where),
           std::move(source.added), std::move(source.special), std::move(source.config)},
          std::move(pre_tokenizer),
          source.where};
}

ByteLevelTokenizer read_gpt2(const std::filesystem::path& directory) {
  ByteLevelTokenizer tokenizer{read_gpt2_files(directory), "gpt-2", directory.string()};
  if (tokenizer.files.config.add_prefix_space) {
    refuse_tokenizer(tokenizer.where, "no blank before the text", "add_prefix_space");
  }
  return tokenizer;
}

GgufVocabulary vocabulary_of(const ByteLevelTokenizer& tokenizer, int rows) {
  require_rows(static_cast<std::size_t>(tokenizer.files.vocabulary.size()), rows, tokenizer.where);
  GgufVocabulary vocabulary(rows);
  tokenizer.files.vocabulary.for_each([&](const std::string& text, std::int32_t id) {
    vocabulary.set(id, text, 0, PieceType::kNormal);
  });
  for (const AddedToken& token : tokenizer.files.added) {
    if (!vocabulary.holds(token.id)) continue;
    vocabulary.set(token.id, token.content, 0,
                   token.special ? PieceType::kControl : PieceType::kUserDefined);
  }
  return vocabulary;
}

/// The one token that stands on a side of every text, if any; elsewhere it is `usual`.
std::optional<std::int32_t> enclosing_token(const std::vector<std::int32_t>& ids,
                                            std::optional<std::int32_t> usual,
                                            const std::string& where) {
  if (ids.empty()) return usual;
  if (ids.size() > 1) {
    refuse_tokenizer(where, "at most one token on each side of a text", std::to_string(ids.size()));
  }
  return ids[0];
}

SpecialTokens special_tokens(const ByteLevelTokenizer& tokenizer, const ModelConfig& config) {
  const Gpt2Files& files = tokenizer.files;
  const auto id = [&](const std::optional<std::string>& token) {
    return token ? id_of(*token, files.added, files.vocabulary) : std::nullopt;
  };
  const auto begin = id(files.config.begin);
  const auto end = id(files.config.end);
  return {enclosing_token(files.special.before, begin ? begin : config.bos, tokenizer.where),
          enclosing_token(files.special.after, end ? end : config.eos, tokenizer.where),
          id(files.config.unknown),
          id(files.config.padding),
          !files.special.before.empty(),
          !files.special.after.empty()};
}

}  // namespace

GgufMetadata byte_level_metadata(const std::filesystem::path& directory,
                                 const ModelConfig& config) {
  load_tokenizer(directory);  // refuses what is broken or not supported at all
  const std::filesystem::path file = directory / "tokenizer.json";
  const ByteLevelTokenizer tokenizer = std::filesystem::exists(file)
                                           ? read_json(file, directory / "tokenizer_config.json")
                                           : read_gpt2(directory);
  GgufMetadata metadata = {{"tokenizer.ggml.model", std::string("gpt2")},
                           {"tokenizer.ggml.pre", tokenizer.pre_tokenizer}};
  vocabulary_of(tokenizer, config.vocabulary).append_to(metadata, false, tokenizer.where);
  std::vector<std::string> merges;
  for (const Merge& merge : tokenizer.files.merges)
    merges.push_back(merge.left + " " + merge.right);
  metadata.push_back({"tokenizer.ggml.merges", std::move(merges)});
  append_special_tokens(metadata, special_tokens(tokenizer, config));
  return metadata;
}

}  // namespace regroup::models
