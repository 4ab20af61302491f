#include "models/text/gpt2_tokenizer.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "models/files/json_file.hpp"
#include "models/files/mapped_file.hpp"
#include "models/files/printable.hpp"
#include "models/text/pipeline/byte_level_bpe.hpp"
#include "models/text/pipeline/unsupported.hpp"
#include "models/text/pipeline_tokenizer.hpp"

namespace regroup::models {
namespace {

constexpr const char* kEndOfText = "<|endoftext|>";

void require_gpt2(const TokenizerConfig& config, const std::string& where) {
  const std::string name = config.class_name.value_or("GPT2Tokenizer");
  if (name == "GPT2Tokenizer" || name == "GPT2TokenizerFast") return;
  refuse_tokenizer("vocab.json and merges.txt belong to a tokenizer that is not supported", where,
                   "tokenizer_class GPT2Tokenizer, or a tokenizer.json", name);
}

AddedToken added_token(const std::string& content, std::int32_t id) {
  AddedToken token;
  token.content = content;
  token.id = id;
  return token;
}

/// Of added_tokens.json: tokens and their ids.
std::vector<AddedToken> read_added_tokens(const std::filesystem::path& file) {
  std::vector<AddedToken> tokens;
  if (!std::filesystem::exists(file)) return tokens;
  const nlohmann::json json = read_json_file(file);
  require_object(json, file.string());
  for (const auto& [content, id] : json.items()) {
    if (content.empty()) continue;
    const std::string where = fmt::format("{}, token {}", file.string(), printable(content));
    tokens.push_back(added_token(content, checked_id(id, where)));
  }
  return tokens;
}

/// Special tokens of the vocabulary are found in the text, too.
void add_special_tokens(std::vector<AddedToken>& tokens, const TokenizerConfig& config,
                        const Vocabulary& vocabulary) {
  for (const auto& token : {config.begin, config.end, config.unknown, config.padding}) {
    if (!token || token->empty()) continue;
    const auto id = vocabulary.find(*token);
    if (!id) continue;
    tokens.push_back(added_token(*token, *id));
    tokens.back().special = true;
  }
}

std::vector<Merge> read_merges_file(const std::filesystem::path& file) {
  const MappedFile mapped(file);
  const auto bytes = mapped.bytes();
  return parse_merges({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, file.string());
}

}  // namespace

Gpt2Files read_gpt2_files(const std::filesystem::path& directory) {
  const std::filesystem::path config_file = directory / "tokenizer_config.json";
  const std::filesystem::path vocabulary_file = directory / "vocab.json";
  Gpt2Files files;
  files.config = read_tokenizer_config(config_file);
  require_gpt2(files.config, config_file.string());
  for (auto* token : {&files.config.begin, &files.config.end, &files.config.unknown}) {
    if (!*token) *token = kEndOfText;
  }
  files.vocabulary = read_vocabulary(read_json_file(vocabulary_file), vocabulary_file.string());
  files.added = read_added_tokens(directory / "added_tokens.json");
  add_special_tokens(files.added, files.config, files.vocabulary);
  add_configured_ids(files.special, files.config, files.added, files.vocabulary,
                     config_file.string());
  files.merges = read_merges_file(directory / "merges.txt");
  return files;
}

std::unique_ptr<Tokenizer> load_gpt2_tokenizer(const std::filesystem::path& directory) {
  Gpt2Files files = read_gpt2_files(directory);
  TokenizerParts parts;
  parts.vocabulary = files.vocabulary.size();
  parts.pre_tokenizer = gpt2_pre_tokenizer(files.config.add_prefix_space);
  parts.prefix = prefix_id(files.config, files.added, files.vocabulary);
  parts.left_out = special_token_ids(files.config, files.added, files.vocabulary);
  parts.decoder = Decoder::of_bytes(files.vocabulary);
  parts.added = std::move(files.added);
  parts.special = std::move(files.special);
  parts.model = std::make_unique<ByteLevelBpe>(std::move(files.vocabulary), files.merges,
                                               BpeOptions{}, (directory / "merges.txt").string());
  return make_pipeline_tokenizer(std::move(parts));
}

}  // namespace regroup::models
