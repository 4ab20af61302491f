#include "apps/terminal/console.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "apps/terminal/progress_bar.hpp"
#include "apps/terminal/progress_lines.hpp"
#include "search/base/error.hpp"

namespace regroup::apps {
namespace {

std::unique_ptr<search::Progress> make_progress(Verbosity verbosity) {
  if (verbosity == Verbosity::kQuiet) return std::make_unique<search::SilentProgress>();
  if (isatty(STDERR_FILENO) != 0) return std::make_unique<ProgressBar>(stderr);
  return std::make_unique<ProgressLines>(stderr);
}

}  // namespace

Console::Console(Verbosity verbosity)
    : verbosity_(verbosity), progress_(make_progress(verbosity)) {}

void Console::print(const std::string& text) const {
  write(text + "\n");
}

void Console::write(const std::string& text) const {
  fmt::print("{}", text);
  if (std::fflush(stdout) != 0) throw WorkError({.what = "cannot write to standard output"});
}

void Console::log(const std::string& text) const {
  if (verbosity_ != Verbosity::kQuiet) fmt::print(stderr, "{}\n", text);
}

void Console::detail(const std::string& text) const {
  if (verbosity_ == Verbosity::kVerbose) fmt::print(stderr, "{}\n", text);
}

std::string runs::duration_text(double seconds) {
  constexpr double kMinute = 60;
  if (seconds < kMinute) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<long>(seconds + 0.5);
  return fmt::format("{} min {} s", whole / 60, whole % 60);
}

}  // namespace regroup::apps
