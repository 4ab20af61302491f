#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "models/text/pipeline/regex.hpp"

namespace regroup::models {

/// The field "pattern" of a part of a tokenizer.json: a text, `{"String": …}`, or an expression,
/// `{"Regex": …}`. Throws InputError for another one; `where` names the object.
Regex read_pattern(const nlohmann::json& node, const std::string& where);

/// An expression as those files write it, compiled. Throws InputError, naming `where`.
Regex oniguruma_regex(std::string_view expression, const std::string& where);

/// Valid UTF-8 text with `content` in place of every match.
std::string replaced(std::string_view text, const Regex& pattern, std::string_view content);

}  // namespace regroup::models
