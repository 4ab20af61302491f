#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "models/text/pipeline/byte_level_bpe.hpp"

namespace regroup::models {

/// The merge of a line such as "Ġ t". Throws InputError, naming `where`, unless it is two tokens
/// with one blank between them.
Merge split_merge(std::string_view line, const std::string& where);

/// The merges of a merges.txt, one a line after the line "#version: …"; `where` names the file.
/// Throws InputError for a line that is none.
std::vector<Merge> parse_merges(std::string_view text, const std::string& where);

}  // namespace regroup::models
