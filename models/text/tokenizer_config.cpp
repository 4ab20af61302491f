#include "models/text/tokenizer_config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <nlohmann/json.hpp>

#include "models/files/json_fields.hpp"
#include "models/files/json_file.hpp"
#include "models/files/printable.hpp"
#include "models/text/pipeline/tokenizer_settings.hpp"

namespace regroup::models {
namespace {

using nlohmann::json;

/// A special token that stands by its text, or as an object with it.
AddedToken special_token(const json& value, const std::string& where) {
  AddedToken token;
  if (value.is_object()) {
    token = read_added_token(value, 0, where);
    token.normalized = optional_bool(value, "normalized", where).value_or(false);
  } else {
    token.content = value.get<std::string>();
  }
  token.special = true;
  return token;
}

void read_named(const json& object, const char* key, const std::string& where,
                std::optional<std::string>& name, TokenizerConfig& config) {
  const auto field = object.find(key);
  if (field == object.end() || !field->is_object()) {
    name = optional_string(object, key, where);
    if (!name || name->empty()) return;
  }
  config.named.push_back(special_token(*field, field_of(where, key)));
  name = config.named.back().content;
}

/// Further special tokens: a list, or an object of names and tokens.
void read_further(const json& object, const char* key, const std::string& where,
                  TokenizerConfig& config) {
  const auto field = object.find(key);
  if (field == object.end() || !field->is_structured()) return;
  for (const json& token : *field) {
    const bool empty = token.is_string() && token.get_ref<const std::string&>().empty();
    if (empty || !(token.is_string() || token.is_object())) continue;
    config.named.push_back(special_token(token, field_of(where, key)));
  }
}

void read_all_named(const json& object, const std::string& where, TokenizerConfig& config) {
  read_named(object, "bos_token", where, config.begin, config);
  read_named(object, "eos_token", where, config.end, config);
  read_named(object, "unk_token", where, config.unknown, config);
  read_named(object, "sep_token", where, config.separator, config);
  read_named(object, "pad_token", where, config.padding, config);
  read_named(object, "cls_token", where, config.classification, config);
  read_named(object, "mask_token", where, config.mask, config);
  read_further(object, "additional_special_tokens", where, config);
  read_further(object, "extra_special_tokens", where, config);
}

void read_added(const json& object, const std::string& where, TokenizerConfig& config) {
  const json* listed = optional_object(object, kAddedTokensKey, where);
  if (listed == nullptr) return;
  const std::string field = field_of(where, kAddedTokensKey);
  for (const auto& [id, entry] : listed->items()) {
    require_object(entry, field);
    config.added.push_back(
        read_added_token(entry, checked_id(parse_json(id, field), field), field));
  }
  std::stable_sort(config.added.begin(), config.added.end(),
                   [](const AddedToken& a, const AddedToken& b) { return a.id < b.id; });
}

/// Of added_tokens.json: tokens and their ids.
void read_added_file(const std::filesystem::path& file, TokenizerConfig& config) {
  if (!std::filesystem::exists(file)) return;
  const json object = read_json_file(file);
  require_object(object, file.string());
  for (const auto& [content, id] : object.items()) {
    if (content.empty()) continue;
    const std::string where = fmt::format("{}, token {}", file.string(), printable(content));
    AddedToken& token = config.added.emplace_back();
    token.content = content;
    token.id = checked_id(id, where);
    token.special =
        std::ranges::find(config.named, content, &AddedToken::content) != config.named.end();
    token.normalized = !token.special;
  }
}

/// The classes by which a model's type decides how its tokenizer's files are read.
std::optional<std::string> class_of_type(std::string_view model_type) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 13> kClasses = {
      {{"t5", "T5Tokenizer"},
       {"mt5", "T5Tokenizer"},
       {"qwen2", "Qwen2Tokenizer"},
       {"qwen2_moe", "Qwen2Tokenizer"},
       {"qwen3", "Qwen2Tokenizer"},
       {"qwen3_moe", "Qwen2Tokenizer"},
       {"roberta", "RobertaTokenizer"},
       {"bart", "BartTokenizer"},
       {"bert", "BertTokenizer"},
       {"distilbert", "DistilBertTokenizer"},
       {"electra", "ElectraTokenizer"},
       {"gpt2", "GPT2Tokenizer"},
       {"opt", "GPT2Tokenizer"}}};
  for (const auto& [type, name] : kClasses) {
    if (type == model_type) return std::string(name);
  }
  return std::nullopt;
}

/// The types of models whose files transformers takes as they are, whatever class they name.
bool takes_files_as_they_are(std::string_view model_type) {
  constexpr std::array<std::string_view, 14> kTypes = {
      "mistral", "mixtral",   "ministral", "phi3",     "phimoe",    "qwen2", "stablelm",
      "granite", "persimmon", "nemotron",  "minicpm3", "internlm2", "jamba", "olmo2"};
  return std::find(kTypes.begin(), kTypes.end(), model_type) != kTypes.end();
}

std::string without_fast(std::string name) {
  constexpr std::string_view kFast = "Fast";
  if (name.ends_with(kFast)) name.resize(name.size() - kFast.size());
  return name;
}

}  // namespace

TokenizerConfig parse_tokenizer_config(const json& object, const std::string& where) {
  constexpr std::int64_t kMostExtraIds = 100'000;
  require_object(object, where);
  TokenizerConfig config;
  config.add_begin = optional_bool(object, "add_bos_token", where).value_or(false);
  config.add_end = optional_bool(object, "add_eos_token", where).value_or(false);
  read_all_named(object, where, config);
  read_added(object, where, config);
  if (const auto name = optional_string(object, "tokenizer_class", where)) {
    config.class_name = without_fast(*name);
  }
  config.llama_class = config.class_name == "LlamaTokenizer";
  const auto prefix_space = optional_bool(object, "add_prefix_space", where);
  config.add_prefix_space = prefix_space.value_or(false);
  config.no_prefix_space = !prefix_space.value_or(true);
  config.legacy = optional_bool(object, "legacy", where).value_or(false);
  config.extra_ids = optional_int(object, "extra_ids", where, 0, kMostExtraIds);
  config.lower_case = optional_bool(object, "do_lower_case", where).value_or(true);
  config.separate_ideographs =
      optional_bool(object, "tokenize_chinese_chars", where).value_or(true);
  config.strip_accents = optional_bool(object, "strip_accents", where);
  return config;
}

TokenizerConfig read_tokenizer_config(const std::filesystem::path& file) {
  const json object = read_tokenizer_settings(file);
  TokenizerConfig config = parse_tokenizer_config(object, file.string());
  if (!object.contains(kAddedTokensKey))
    read_added_file(file.parent_path() / "added_tokens.json", config);
  return config;
}

TokenizerConfig read_directory_config(const std::filesystem::path& directory) {
  TokenizerConfig config = read_tokenizer_config(directory / "tokenizer_config.json");
  const std::filesystem::path file = directory / "config.json";
  if (!std::filesystem::exists(file)) return config;
  const json model = read_json_file(file);
  require_object(model, file.string());
  const std::string type = optional_string(model, "model_type", file.string()).value_or("");
  if (!config.class_name) {
    const auto name = optional_string(model, "tokenizer_class", file.string());
    config.class_name = name ? without_fast(*name) : class_of_type(type);
    config.llama_class = config.class_name == "LlamaTokenizer";
  }
  config.llama_class = config.llama_class && !takes_files_as_they_are(type);
  return config;
}

}  // namespace regroup::models
