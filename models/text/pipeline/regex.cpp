#include "models/text/pipeline/regex.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>

#include "models/files/printable.hpp"
#include "models/text/pipeline/unicode.hpp"
#include "search/base/error.hpp"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

namespace regroup::models {
namespace {

std::string message_of(int error) {
  constexpr std::size_t kLongest = 256;
  std::array<PCRE2_UCHAR, kLongest> text{};
  pcre2_get_error_message(error, text.data(), text.size());
  return reinterpret_cast<const char*>(text.data());
}

struct FreeData {
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};
struct FreeContext {
  void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
};

/// What a search needs besides the expression: room for one match, and a limit. A thread keeps its
/// own, as expressions are asked about words, too.
struct SearchRoom {
  std::unique_ptr<pcre2_match_data, FreeData> data{pcre2_match_data_create(1, nullptr)};
  std::unique_ptr<pcre2_match_context, FreeContext> context{pcre2_match_context_create(nullptr)};

  SearchRoom() {
    if (!data || !context) throw std::bad_alloc();
  }
};

/// The room, with a limit for a text of this length.
const SearchRoom& search_room(std::size_t length) {
  static thread_local const SearchRoom room;
  // A run of white space is scanned a few times over; an expression that needs many times more
  // steps than the text is long would never end.
  constexpr std::size_t kLeastSteps = 10'000'000;
  constexpr std::size_t kStepsPerByte = 100;
  constexpr std::size_t kMostSteps = std::numeric_limits<std::uint32_t>::max();
  const std::size_t steps = std::min(kMostSteps, kLeastSteps + kStepsPerByte * length);
  pcre2_set_match_limit(room.context.get(), static_cast<std::uint32_t>(steps));
  return room;
}

struct Bounds {
  std::size_t begin;
  std::size_t end;
};

/// The first match from a place on, if there is one.
std::optional<Bounds> next_match(const pcre2_code* code, std::string_view text, std::size_t from) {
  const SearchRoom& room = search_room(text.size());
  const auto match = [&](std::uint32_t options) {
    return pcre2_match(code, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), from,
                       PCRE2_NO_UTF_CHECK | options, room.data.get(), room.context.get());
  };
  int result = match(0);
  // Compiled to machine code an expression has a small stack; the interpreter has none to run out
  // of.
  if (result == PCRE2_ERROR_JIT_STACKLIMIT) result = match(PCRE2_NO_JIT);
  if (result == PCRE2_ERROR_NOMATCH) return std::nullopt;
  if (result < 0) {
    throw InputError({.what = "text cannot be cut into words by the tokenizer's expression",
                      .found = message_of(result)});
  }
  const std::size_t* bounds = pcre2_get_ovector_pointer(room.data.get());
  return Bounds{bounds[0], bounds[1]};
}

}  // namespace

void Regex::Free::operator()(pcre2_real_code_8* code) const {
  pcre2_code_free(code);
}

Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;
Regex::~Regex() = default;

Regex::Regex(std::string_view expression, std::uint32_t options, const std::string& where) {
  int error = 0;
  std::size_t at = 0;
  code_.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(expression.data()), expression.size(),
                            options | PCRE2_UTF, &error, &at, nullptr));
  if (code_) {
    // Where the system allows no machine code, or PCRE2 makes none, the interpreter does the work.
    pcre2_jit_compile(code_.get(), PCRE2_JIT_COMPLETE);
    return;
  }
  throw InputError({.what = "regular expression of the tokenizer is not one",
                    .where = where,
                    .expected = "an expression that PCRE2 takes",
                    .found = message_of(error) + ": " + printable(expression)});
}

Regex Regex::compiled(std::string_view expression, const std::string& where) {
  return {expression, PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C, where};
}

Regex Regex::literal(std::string_view text, const std::string& where) {
  return {text, PCRE2_LITERAL, where};
}

void Regex::for_each_match(std::string_view text, const OnMatch& on_match) const {
  std::size_t from = 0;
  while (from < text.size()) {
    const auto match = next_match(code_.get(), text, from);
    if (!match) return;
    on_match(match->begin, match->end);
    from = match->end;
    if (match->begin < from || from >= text.size()) continue;
    std::string_view rest = text.substr(from);
    take_character(rest);
    from = text.size() - rest.size();
  }
}

}  // namespace regroup::models
