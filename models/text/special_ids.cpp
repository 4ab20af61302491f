#include "models/text/special_ids.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "models/files/json_fields.hpp"
#include "models/files/json_file.hpp"
#include "models/files/printable.hpp"
#include "models/text/pipeline/unsupported.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

using Ids = std::vector<std::int32_t>;

void append_template_ids(const nlohmann::json& special_tokens, const std::string& name,
                         const std::string& where, Ids& ids) {
  const nlohmann::json& token = required_object(special_tokens, name, where);
  for (const nlohmann::json& id : required_array(token, "ids", where)) {
    ids.push_back(checked_id(id, where));
  }
}

SpecialIds read_template(const nlohmann::json& node, const std::string& where) {
  const nlohmann::json& special_tokens = required_object(node, "special_tokens", where);
  SpecialIds special;
  int texts = 0;
  for (const nlohmann::json& part : required_array(node, "single", where)) {
    if (const nlohmann::json* token = optional_object(part, "SpecialToken", where)) {
      append_template_ids(special_tokens, required_string(*token, "id", where), where,
                          texts == 0 ? special.before : special.after);
    } else {
      required_object(part, "Sequence", where);
      ++texts;
    }
  }
  if (texts != 1) {
    throw InputError({.what = "template of the tokenizer does not hold the text once",
                      .where = field_of(where, "single"),
                      .expected = "one Sequence",
                      .found = std::to_string(texts)});
  }
  return special;
}

/// BertProcessing and RobertaProcessing name a token and its id: `"sep": ["[SEP]", 102]`.
std::int32_t read_named_id(const nlohmann::json& node, const char* key, const std::string& where) {
  const nlohmann::json& pair = required_array(node, key, where);
  if (pair.size() != 2) {
    throw InputError({.what = "field has the wrong value",
                      .where = field_of(where, key),
                      .expected = "a token and its id",
                      .found = describe_json(pair)});
  }
  return checked_id(pair[1], field_of(where, key));
}

/// Later processors of a sequence work on what earlier ones gave.
void enclose(SpecialIds& special, const SpecialIds& outer) {
  special.before.insert(special.before.begin(), outer.before.begin(), outer.before.end());
  special.after.insert(special.after.end(), outer.after.begin(), outer.after.end());
}

void add_processor(SpecialIds& special, const nlohmann::json& node, const std::string& where) {
  const std::string type = required_string(node, "type", where);
  if (type == "TemplateProcessing") {
    enclose(special, read_template(node, where));
  } else if (type == "BertProcessing" || type == "RobertaProcessing") {
    enclose(special, {{read_named_id(node, "cls", where)}, {read_named_id(node, "sep", where)}});
  } else if (type == "Sequence") {
    for (const nlohmann::json& child : required_array(node, "processors", where)) {
      add_processor(special, child, where);
    }
  } else if (type != "ByteLevel") {
    refuse_tokenizer("post-processor of the tokenizer is not supported", where,
                     "TemplateProcessing, BertProcessing, RobertaProcessing, ByteLevel, Sequence",
                     type);
  }
}

[[noreturn]] void refuse_absent(const char* field, const std::optional<std::string>& token,
                                const std::string& where) {
  throw InputError({.what = std::string("tokenizer has no token for ") + field,
                    .where = where,
                    .expected = "a token of the vocabulary",
                    .found = token ? printable(*token) : "none"});
}

}  // namespace

std::optional<std::int32_t> id_of(const std::string& token, const std::vector<AddedToken>& added,
                                  const Vocabulary& vocabulary) {
  for (const AddedToken& candidate : added) {
    if (candidate.content == token) return candidate.id;
  }
  return vocabulary.find(token);
}

SpecialIds read_post_processor(const nlohmann::json& node, const std::string& where) {
  SpecialIds special;
  if (!node.is_null()) add_processor(special, node, where);
  return special;
}

void add_configured_ids(SpecialIds& special, const TokenizerConfig& config,
                        const std::vector<AddedToken>& added, const Vocabulary& vocabulary,
                        const std::string& where) {
  const auto add = [&](const std::optional<std::string>& token, const char* field, Ids& ids) {
    if (!ids.empty()) return;
    const auto id = token ? id_of(*token, added, vocabulary) : std::nullopt;
    if (!id) refuse_absent(field, token, where);
    ids.push_back(*id);
  };
  if (config.add_begin) add(config.begin, "add_bos_token", special.before);
  if (config.add_end) add(config.end, "add_eos_token", special.after);
}

std::optional<std::int32_t> prefix_id(const TokenizerConfig& config,
                                      const std::vector<AddedToken>& added,
                                      const Vocabulary& vocabulary) {
  for (const auto& token : {config.begin, config.end}) {
    const auto id = token ? id_of(*token, added, vocabulary) : std::nullopt;
    if (id) return id;
  }
  return std::nullopt;
}

std::vector<std::int32_t> special_token_ids(const TokenizerConfig& config,
                                            const std::vector<AddedToken>& added,
                                            const Vocabulary& vocabulary) {
  std::vector<std::int32_t> ids;
  for (const AddedToken& token : config.named) {
    if (const auto id = id_of(token.content, added, vocabulary)) ids.push_back(*id);
  }
  return ids;
}

void add_configured_tokens(std::vector<AddedToken>& added, const TokenizerConfig& config,
                           const Vocabulary& vocabulary) {
  std::unordered_set<std::string> known;
  std::unordered_set<std::int32_t> taken;
  std::int32_t next = vocabulary.size();
  const auto note = [&](const AddedToken& token) {
    known.insert(token.content);
    taken.insert(token.id);
    next = std::max(next, token.id + 1);
  };
  for (const AddedToken& token : added) note(token);
  const auto add = [&](AddedToken token, bool has_id) {
    if (token.content.empty() || known.contains(token.content)) return;
    const auto own = vocabulary.find(token.content);
    const bool free = has_id && token.id >= vocabulary.size() && !taken.contains(token.id);
    if (own || !free) token.id = own ? *own : next;
    note(token);
    added.push_back(std::move(token));
  };
  for (const AddedToken& token : config.added) add(token, true);
  for (const AddedToken& token : config.named) add(token, false);
}

}  // namespace regroup::models
