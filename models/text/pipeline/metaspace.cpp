#include "models/text/pipeline/metaspace.hpp"

#include <nlohmann/json.hpp>

#include "models/files/json_fields.hpp"
#include "models/text/pipeline/blank_parts.hpp"
#include "models/text/pipeline/split.hpp"

namespace regroup::models {
namespace {

PrependScheme scheme_of(const nlohmann::json& node, const std::string& where) {
  const bool prefix = optional_bool(node, "add_prefix_space", where).value_or(true);
  const std::string usual = prefix ? "always" : "never";
  const std::string name = optional_string(node, "prepend_scheme", where).value_or(usual);
  if (name == "always") return PrependScheme::kAlways;
  if (name == "first") return PrependScheme::kFirst;
  if (name != "never") refuse_field(where, "prepend_scheme", "always, first or never", name);
  return PrependScheme::kNever;
}

PreTokenizer::Step visible_blanks(Metaspace metaspace) {
  return [metaspace = std::move(metaspace)](const TextPart& part,
                                            const PreTokenizer::OnPart& on_part) {
    std::string text;
    text.reserve(part.text.size() + part.text.size() / 2);
    const bool wanted = metaspace.prepend == PrependScheme::kAlways ||
                        (metaspace.prepend == PrependScheme::kFirst && part.begins_text);
    const bool has_one = part.text.front() == ' ' || part.text.starts_with(metaspace.replacement);
    if (wanted && !has_one) text += metaspace.replacement;
    for (const char c : part.text) c == ' ' ? text += metaspace.replacement : text += c;
    on_part({text, part.begins_text});
  };
}

}  // namespace

Metaspace read_metaspace(const nlohmann::json& node, const std::string& where) {
  Metaspace metaspace;
  metaspace.replacement =
      optional_string(node, "replacement", where).value_or(std::string(kVisibleBlank));
  if (metaspace.replacement.empty()) refuse_field(where, "replacement", "a character", "none");
  metaspace.prepend = scheme_of(node, where);
  metaspace.cuts = optional_bool(node, "split", where).value_or(true);
  return metaspace;
}

void add_metaspace(PreTokenizer& pre, const Metaspace& metaspace) {
  pre.add(visible_blanks(metaspace));
  if (!metaspace.cuts) return;
  pre.add(split_step(stretches_of(Regex::literal(metaspace.replacement, "Metaspace"), false),
                     SplitBehavior::kMergedWithNext));
}

}  // namespace regroup::models
