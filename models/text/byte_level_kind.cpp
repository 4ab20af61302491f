#include "models/text/byte_level_kind.hpp"

#include <array>
#include <nlohmann/json.hpp>

#include "models/files/json_file.hpp"
#include "models/text/pipeline_tokenizer.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

using nlohmann::json;

constexpr std::string_view kEndOfText =
    R"({"bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>"})";
constexpr std::string_view kQwen2Split =
    R"json({"type": "Sequence", "pretokenizers": [{"type": "Split", "behavior": "Isolated", "pattern": {"Regex": "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"}}, {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}]})json";
constexpr std::string_view kLlama3Split =
    R"json({"type": "Sequence", "pretokenizers": [{"type": "Split", "behavior": "Isolated", "pattern": {"Regex": "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"}}, {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}]})json";
constexpr std::string_view kRoberta =
    R"({"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "sep_token": "</s>",
        "pad_token": "<pad>", "cls_token": "<s>",
        "mask_token": {"content": "<mask>", "lstrip": true, "normalized": false}})";

constexpr ByteLevelKind kTiktoken = {.name = "tiktoken",
                                     .normalizer = "",
                                     .pre_tokenizer = kLlama3Split,
                                     .special = "{}",
                                     .whole_words = true};

constexpr std::array kKinds = {
    ByteLevelKind{
        .name = "GPT2Tokenizer", .normalizer = "", .pre_tokenizer = "", .special = kEndOfText},
    ByteLevelKind{.name = "Qwen2Tokenizer",
                  .normalizer = R"({"type": "NFC"})",
                  .pre_tokenizer = kQwen2Split,
                  .special = R"({"eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>",
                                 "pad_token": "<|endoftext|>"})"},
    ByteLevelKind{.name = "RobertaTokenizer",
                  .normalizer = "",
                  .pre_tokenizer = R"({"type": "ByteLevel", "add_prefix_space": false})",
                  .special = kRoberta,
                  .encloses = true},
    ByteLevelKind{.name = "BartTokenizer",
                  .normalizer = "",
                  .pre_tokenizer = R"({"type": "ByteLevel", "add_prefix_space": false})",
                  .special = kRoberta,
                  .encloses = true}};

/// Fills in the special tokens that the configuration does not name, those of the class that are in
/// the vocabulary.
void name_usual_tokens(TokenizerConfig& config, const ByteLevelKind& kind,
                       const Vocabulary& vocabulary) {
  const std::string where(kind.name);
  const TokenizerConfig usual = parse_tokenizer_config(parse_json(kind.special, where), where);
  const auto fill = [&](std::optional<std::string> TokenizerConfig::*token) {
    if (config.*token || !(usual.*token)) return;
    config.*token = usual.*token;
    for (const AddedToken& named : usual.named) {
      if (named.content != usual.*token || !vocabulary.find(named.content)) continue;
      config.named.push_back(named);
      return;
    }
  };
  for (const auto token :
       {&TokenizerConfig::begin, &TokenizerConfig::end, &TokenizerConfig::unknown,
        &TokenizerConfig::separator, &TokenizerConfig::padding, &TokenizerConfig::classification,
        &TokenizerConfig::mask}) {
    fill(token);
  }
}

std::int32_t enclosing_id(const std::optional<std::string>& token, const Gpt2Files& files,
                          const std::string& where) {
  const auto id = token ? id_of(*token, files.added, files.vocabulary) : std::nullopt;
  if (id) return *id;
  throw InputError({.what = "tokenizer has no token to put around a text",
                    .where = where,
                    .expected = "cls_token and sep_token"});
}

}  // namespace

const ByteLevelKind* find_byte_level_kind(std::string_view class_name) {
  for (const ByteLevelKind& kind : kKinds) {
    if (kind.name == class_name) return &kind;
  }
  return nullptr;
}

const ByteLevelKind& tiktoken_kind() {
  return kTiktoken;
}

void complete(Gpt2Files& files, const ByteLevelKind& kind, TokenizerConfig config,
              const std::string& where) {
  files.config = std::move(config);
  name_usual_tokens(files.config, kind, files.vocabulary);
  // Tokens of the vocabulary, and those that have ids of their own; names without either come last.
  add_configured_tokens(files.added, files.config, files.vocabulary);
  if (kind.encloses) {
    files.special = {{enclosing_id(files.config.classification, files, where)},
                     {enclosing_id(files.config.separator, files, where)}};
  }
  add_configured_ids(files.special, files.config, files.added, files.vocabulary, where);
}

std::unique_ptr<Tokenizer> make_byte_level_tokenizer(const ByteLevelKind& kind, Gpt2Files files,
                                                     const std::string& where) {
  const std::string name(kind.name);
  TokenizerParts parts;
  parts.vocabulary = files.vocabulary.size();
  if (!kind.normalizer.empty()) {
    parts.normalizer = read_normalizer(parse_json(kind.normalizer, name), name);
  }
  if (kind.pre_tokenizer.empty()) {
    parts.pre_tokenizer = gpt2_pre_tokenizer(files.config.add_prefix_space);
  } else {
    json pre_tokenizer = parse_json(kind.pre_tokenizer, name);
    json& last = pre_tokenizer.contains("pretokenizers") ? pre_tokenizer["pretokenizers"].back()
                                                         : pre_tokenizer;
    last["add_prefix_space"] = files.config.add_prefix_space;
    parts.pre_tokenizer = read_pre_tokenizer(pre_tokenizer, true, name);
  }
  parts.prefix = prefix_id(files.config, files.added, files.vocabulary);
  parts.left_out = special_token_ids(files.config, files.added, files.vocabulary);
  parts.decoder = Decoder(files.vocabulary);
  parts.decoder.add_step(byte_level_step());
  parts.added = std::move(files.added);
  parts.special = std::move(files.special);
  parts.model =
      std::make_unique<Bpe>(std::move(files.vocabulary), files.merges,
                            BpeOptions{.bytes = true, .whole_words = kind.whole_words}, where);
  return make_pipeline_tokenizer(std::move(parts));
}

}  // namespace regroup::models
