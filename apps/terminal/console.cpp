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

}  // namespace regroup::apps
