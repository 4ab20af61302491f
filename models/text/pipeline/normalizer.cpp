#include "models/text/pipeline/normalizer.hpp"

#include <array>
#include <nlohmann/json.hpp>
#include <optional>

#include "models/files/json_fields.hpp"
#include "models/text/pipeline/unicode.hpp"
#include "models/text/pipeline/unsupported.hpp"

namespace regroup::models {
namespace {

std::optional<NormalForm> form_named(std::string_view name) {
  struct Named {
    std::string_view name;
    NormalForm form;
  };
  constexpr std::array kForms = {Named{"NFC", NormalForm::kNfc}, Named{"NFD", NormalForm::kNfd},
                                 Named{"NFKC", NormalForm::kNfkc},
                                 Named{"NFKD", NormalForm::kNfkd}};
  for (const Named& known : kForms) {
    if (known.name == name) return known.form;
  }
  return std::nullopt;
}

BertNormalizer read_bert_normalizer(const nlohmann::json& node, const std::string& where) {
  BertNormalizer bert;
  bert.clean = optional_bool(node, "clean_text", where).value_or(true);
  bert.separate_ideographs = optional_bool(node, "handle_chinese_chars", where).value_or(true);
  bert.lower = optional_bool(node, "lowercase", where).value_or(true);
  bert.strip_accents = optional_bool(node, "strip_accents", where).value_or(bert.lower);
  return bert;
}

void add_steps(Normalizer& normalizer, const nlohmann::json& node, const std::string& where) {
  const std::string type = required_string(node, "type", where);
  if (const auto form = form_named(type)) {
    normalizer.add([form](std::string_view text) { return normal_form(text, *form); });
  } else if (type == "Lowercase") {
    normalizer.add(lower_case);
  } else if (type == "BertNormalizer") {
    normalizer.add(read_bert_normalizer(node, where));
  } else if (type == "Sequence") {
    for (const nlohmann::json& child : required_array(node, "normalizers", where)) {
      add_steps(normalizer, child, where);
    }
  } else {
    refuse_tokenizer("normalizer of the tokenizer is not supported", where,
                     "NFC, NFD, NFKC, NFKD, Lowercase, BertNormalizer, Sequence", type);
  }
}

}  // namespace

std::string Normalizer::operator()(std::string_view text) const {
  std::string result(text);
  for (const Step& step : steps_) result = step(result);
  return result;
}

Normalizer read_normalizer(const nlohmann::json& node, const std::string& where) {
  Normalizer normalizer;
  if (!node.is_null()) add_steps(normalizer, node, where);
  return normalizer;
}

}  // namespace regroup::models
