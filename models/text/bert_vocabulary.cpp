#include "models/text/bert_vocabulary.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "models/files/mapped_file.hpp"
#include "models/text/pipeline/unsupported.hpp"
#include "models/text/pipeline/utf8.hpp"
#include "models/text/tokenizer_json.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

using nlohmann::json;

void require_bert(const TokenizerConfig& config, const std::string& where) {
  constexpr std::array kNames = {"BertTokenizer", "DistilBertTokenizer", "ElectraTokenizer"};
  const std::string name = config.class_name.value_or(kNames[0]);
  if (std::find(kNames.begin(), kNames.end(), name) != kNames.end()) return;
  refuse_tokenizer("vocab.txt belongs to a tokenizer that is not supported", where,
                   "tokenizer_class BertTokenizer, or a tokenizer.json", name);
}

json read_lines(const std::filesystem::path& file) {
  const MappedFile mapped(file);
  const auto bytes = mapped.bytes();
  std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  require_utf8(text, file.string());
  json vocabulary = json::object();
  for (std::int32_t id = 0; !text.empty(); ++id) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.ends_with('\r')) line.remove_suffix(1);
    vocabulary[std::string(line)] = id;
  }
  return vocabulary;
}

}  // namespace

std::unique_ptr<Tokenizer> load_bert_vocabulary(const std::filesystem::path& directory) {
  const std::string where = (directory / "vocab.txt").string();
  const std::string config_where = (directory / "tokenizer_config.json").string();
  TokenizerConfig config = read_directory_config(directory);
  require_bert(config, config_where);
  const json vocabulary = read_lines(directory / "vocab.txt");
  const auto name = [&](std::optional<std::string>& token, const char* usual) {
    if (!token) token = usual;
    if (!vocabulary.contains(*token)) {
      throw InputError({.what = "tokenizer's special token is not in its vocabulary",
                        .where = where,
                        .found = *token});
    }
    return json::array({*token, vocabulary[*token]});
  };
  const json separator = name(config.separator, "[SEP]");
  const json classification = name(config.classification, "[CLS]");
  const json unknown = name(config.unknown, "[UNK]");
  json added = json::array();
  for (const char* token : {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}) {
    if (!vocabulary.contains(token)) continue;
    added.push_back(
        {{"id", vocabulary[token]}, {"content", token}, {"normalized", false}, {"special", true}});
  }
  json normalizer = {{"type", "BertNormalizer"},
                     {"lowercase", config.lower_case},
                     {"handle_chinese_chars", config.separate_ideographs}};
  if (config.strip_accents) normalizer["strip_accents"] = *config.strip_accents;
  json tokenizer = {
      {"added_tokens", added},
      {"normalizer", normalizer},
      {"pre_tokenizer", {{"type", "BertPreTokenizer"}}},
      {"post_processor", {{"type", "BertProcessing"}, {"sep", separator}, {"cls", classification}}},
      {"decoder", {{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", true}}},
      {"model", {{"type", "WordPiece"}, {"unk_token", unknown[0]}, {"vocab", vocabulary}}}};
  return make_tokenizer(
      parse_tokenizer_json(std::move(tokenizer), where, std::move(config), config_where));
}

}  // namespace regroup::models
