#include "models/text/pipeline/bpe.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "models/files/printable.hpp"
#include "search/base/error.hpp"

namespace regroup::models {

Merge split_merge(std::string_view line, const std::string& where) {
  const std::size_t blank = line.find(' ');
  const bool one_blank = blank != line.npos && line.find(' ', blank + 1) == line.npos;
  if (!one_blank || blank == 0 || blank + 1 == line.size()) {
    throw InputError({.what = "merge of the tokenizer is not one",
                      .where = where,
                      .expected = "two tokens with a blank between them",
                      .found = printable(line)});
  }
  return {std::string(line.substr(0, blank)), std::string(line.substr(blank + 1))};
}

std::vector<Merge> parse_merges(std::string_view text, const std::string& where) {
  constexpr std::string_view kVersion = "#version";
  std::vector<Merge> merges;
  for (std::size_t number = 1; !text.empty(); ++number) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.starts_with(kVersion)) continue;
    merges.push_back(split_merge(line, fmt::format("{}, line {}", where, number)));
  }
  return merges;
}

}  // namespace regroup::models
