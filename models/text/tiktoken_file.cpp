#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "models/files/printable.hpp"
#include "models/text/byte_level_kind.hpp"
#include "models/text/gpt2_tokenizer.hpp"
#include "models/text/pipeline/base64.hpp"
#include "models/text/pipeline/byte_alphabet.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

struct RankedToken {
  std::string bytes;
  std::int32_t rank;
};

std::string_view take_line(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(text.size(), line.size() + 1));
  return line.ends_with('\r') ? line.substr(0, line.size() - 1) : line;
}

[[noreturn]] void refuse_line(std::string_view line, const std::string& where) {
  throw InputError({.what = "line of the tokenizer is not a token and its rank",
                    .where = where,
                    .expected = "bytes in base 64, a blank and an integer",
                    .found = printable(line)});
}

RankedToken parse_line(std::string_view line, const std::string& where) {
  const std::size_t blank = line.find(' ');
  if (blank == line.npos || blank == 0) refuse_line(line, where);
  const std::string_view number = line.substr(blank + 1);
  std::int32_t rank = 0;
  const auto end = number.data() + number.size();
  const auto result = std::from_chars(number.data(), end, rank);
  if (result.ec != std::errc() || result.ptr != end || rank < 0) refuse_line(line, where);
  if (rank == std::numeric_limits<std::int32_t>::max()) refuse_line(line, where);
  return {from_base64(line.substr(0, blank), where), rank};
}

std::vector<RankedToken> parse_tokens(std::string_view text, const std::string& where) {
  std::vector<RankedToken> tokens;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::string_view line = take_line(text);
    if (!line.empty())
      tokens.push_back(parse_line(line, fmt::format("{}, line {}", where, number)));
  }
  std::stable_sort(tokens.begin(), tokens.end(),
                   [](const RankedToken& a, const RankedToken& b) { return a.rank < b.rank; });
  return tokens;
}

/// Every way to put a token together from two others, the lowest ranks first.
void append_merges_of(const std::string& token, const Vocabulary& ranks,
                      std::vector<Merge>& merges) {
  struct Way {
    std::int32_t left;
    std::int32_t right;
    std::size_t cut;
    bool operator<(const Way& other) const {
      return std::pair(left, right) < std::pair(other.left, other.right);
    }
  };
  std::vector<Way> ways;
  for (std::size_t cut = 1; cut < token.size(); ++cut) {
    const auto left = ranks.find(std::string_view(token).substr(0, cut));
    const auto right = ranks.find(std::string_view(token).substr(cut));
    if (left && right) ways.push_back({*left, *right, cut});
  }
  std::sort(ways.begin(), ways.end());
  for (const Way& way : ways) {
    merges.push_back(
        {in_byte_alphabet(token.substr(0, way.cut)), in_byte_alphabet(token.substr(way.cut))});
  }
}

}  // namespace

bool is_tiktoken(std::string_view text) {
  const std::string_view line = take_line(text);
  const std::size_t blank = line.find(' ');
  if (blank == line.npos || blank == 0 || blank + 1 == line.size()) return false;
  const std::string_view number = line.substr(blank + 1);
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return std::all_of(number.begin(), number.end(), is_digit) &&
         line.find_first_not_of(
             "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=") == blank;
}

std::unique_ptr<Tokenizer> make_tiktoken_tokenizer(std::string_view text, TokenizerConfig config,
                                                   const std::string& where) {
  const std::vector<RankedToken> tokens = parse_tokens(text, where);
  Gpt2Files files;
  Vocabulary ranks;
  for (const RankedToken& token : tokens) {
    ranks.set(token.bytes, token.rank);
    files.vocabulary.set(in_byte_alphabet(token.bytes), token.rank);
  }
  for (const RankedToken& token : tokens) append_merges_of(token.bytes, ranks, files.merges);
  complete(files, tiktoken_kind(), std::move(config), where);
  return make_byte_level_tokenizer(tiktoken_kind(), std::move(files), where);
}

}  // namespace regroup::models
