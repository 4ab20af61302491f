#include "models/gguf/tokenizer_metadata.hpp"

#include <algorithm>
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

void refuse_normalizer(const TokenizerJson& source) {
  const nlohmann::json& node = source.part("normalizer");
  const std::string where = source.part_where("normalizer");
  if (node.is_null()) return;
  const std::string type = required_string(node, "type", where);
  if (type != "NFC") refuse_for_llama_cpp(where, "none or NFC", type);
}

bool join_digits(const std::vector<Merge>& merges) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return std::any_of(merges.begin(), merges.end(), [&](const Merge& merge) {
    return !merge.left.empty() && !merge.right.empty() && is_digit(merge.left.back()) &&
           is_digit(merge.right.front());
  });
}

ByteLevelTokenizer read_json(const std::filesystem::path& file,
                             const std::filesystem::path& config) {
  TokenizerJson source = read_tokenizer_json(file, config);
  const std::string where = source.part_where("model");
  const std::string type = required_string(source.model(), "type", where);
  if (type != "BPE") refuse_for_llama_cpp(where, "byte-level BPE", type);
  refuse_normalizer(source);
  std::vector<Merge> merges = read_merges(source.model(), where);
  const WordRules rules = {
      .whole_words = optional_bool(source.model(), "ignore_merges", where).value_or(false),
      .joins_digits = join_digits(merges)};
  std::string pre_tokenizer = llama_cpp_pre_tokenizer(source.part("pre_tokenizer"), rules,
                                                      source.part_where("pre_tokenizer"));
  return {{std::move(source.vocabulary), std::move(merges), std::move(source.added),
           std::move(source.special), std::move(source.config)},
          std::move(pre_tokenizer),
          source.where};
}

ByteLevelTokenizer read_gpt2(const std::filesystem::path& directory) {
  ByteLevelTokenizer tokenizer{read_gpt2_files(directory), "gpt-2", directory.string()};
  if (tokenizer.files.config.add_prefix_space) {
    refuse_for_llama_cpp(tokenizer.where, "no blank before the text", "add_prefix_space");
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
  const Gpt2Files& files = tokenizer.files;
  append_special_tokens(metadata, special_tokens_of(files.config, files.special, files.added,
                                                    files.vocabulary, config, tokenizer.where));
  return metadata;
}

}  // namespace regroup::models
