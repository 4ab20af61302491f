#include "runs/base/option_checks.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <string_view>

#include "search/base/error.hpp"

namespace regroup::runs {

std::uint64_t parse_size(const std::string& text, const std::string& option) {
  struct Unit {
    std::string_view name;
    double bytes;
  };
  constexpr std::array kUnits = {Unit{"", 1},         Unit{"B", 1},        Unit{"KB", 1e3},
                                 Unit{"MB", 1e6},     Unit{"GB", 1e9},     Unit{"TB", 1e12},
                                 Unit{"KiB", 0x1p10}, Unit{"MiB", 0x1p20}, Unit{"GiB", 0x1p30},
                                 Unit{"TiB", 0x1p40}};
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  for (const Unit& known : kUnits) {
    const double bytes = number * known.bytes;
    if (error == std::errc() && unit == known.name && bytes >= 1 && bytes < 0x1p62) {
      return static_cast<std::uint64_t>(bytes);
    }
  }
  throw InputError({.what = "size is not one",
                    .where = option,
                    .expected = "a number with a unit, as 5GB or 512MiB",
                    .found = text});
}

void require_range(std::int64_t value, std::int64_t least, std::int64_t most, const char* option) {
  if (value >= least && value <= most) return;
  throw InputError({.what = "option is out of range",
                    .where = option,
                    .expected = fmt::format("{} to {}", least, most),
                    .found = std::to_string(value)});
}

void require_kv_limit(double limit) {
  if (limit > 0 && limit <= 1) return;
  throw InputError({.what = "KV size is out of range",
                    .where = "--kv",
                    .expected = "above 0, at most 1",
                    .found = fmt::format("{}", limit)});
}

}  // namespace regroup::runs
