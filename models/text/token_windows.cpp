#include "models/text/token_windows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "search/error.hpp"

namespace regroup::models {

TokenWindows::TokenWindows(int context, std::vector<std::int32_t> ids)
    : context_(context), ids_(std::move(ids)) {
  if (context < 1 || ids_.size() % stride() != 0) {
    throw WorkError({.what = "token ids are not whole windows",
                     .expected = fmt::format("a multiple of {}", stride()),
                     .found = std::to_string(ids_.size())});
  }
}

TokenWindows TokenWindows::of_stream(std::span<const std::int32_t> stream, int context,
                                     std::size_t most_tokens, const std::string& where) {
  const auto step = static_cast<std::size_t>(context);
  std::size_t windows = stream.empty() ? 0 : (stream.size() - 1) / step;
  if (windows == 0) {
    throw InputError({.what = stream.empty() ? "text is empty" : "text is shorter than one window",
                      .where = where,
                      .expected = fmt::format("at least {} tokens", step + 1),
                      .found = fmt::format("{}", stream.size())});
  }
  if (most_tokens > 0) {
    if (most_tokens < step) {
      throw InputError({.what = "token limit is shorter than one window",
                        .where = where,
                        .expected = fmt::format("at least {}", step),
                        .found = fmt::format("{}", most_tokens)});
    }
    windows = std::min(windows, most_tokens / step);
  }
  std::vector<std::int32_t> ids;
  ids.reserve(windows * (step + 1));
  for (std::size_t w = 0; w < windows; ++w) {
    const auto window = stream.subspan(w * step, step + 1);
    ids.insert(ids.end(), window.begin(), window.end());
  }
  return {context, std::move(ids)};
}

TokenWindows TokenWindows::part(std::size_t from, std::size_t to) const {
  const auto ids = std::span(ids_).subspan(from * stride(), (to - from) * stride());
  return {context_, {ids.begin(), ids.end()}};
}

}  // namespace regroup::models
