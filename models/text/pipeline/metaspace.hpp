#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "models/text/pipeline/pre_tokenizer.hpp"

namespace regroup::models {

/// Which texts get a visible blank before them.
enum class PrependScheme { kAlways, kFirst, kNever };

/// Blanks as characters that are seen: the pre-tokenizer and decoder Metaspace.
struct Metaspace {
  std::string replacement;  ///< stands for a blank; one character
  PrependScheme prepend = PrependScheme::kAlways;
  bool cuts = true;  ///< words begin at it
};

/// Reads the fields of either; `add_prefix_space` is the older name of the scheme. Throws
/// InputError for broken ones; `where` names the object.
Metaspace read_metaspace(const nlohmann::json& node, const std::string& where);

/// Makes blanks visible, puts one before a text that begins with none, and cuts before each.
void add_metaspace(PreTokenizer& pre, const Metaspace& metaspace);

}  // namespace regroup::models
