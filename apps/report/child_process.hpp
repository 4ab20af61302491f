#pragma once

#include <span>
#include <string>

namespace regroup::apps {

/// How a child process ended and what it wrote.
struct ProcessResult {
  int exit_status = 0;  ///< exit code, or 128 + signal where a signal ended it
  std::string output;   ///< all of its standard output
  std::string error;    ///< all of its standard error
};

/// Whether a program of that name is on PATH.
bool is_installed(const std::string& program);

/// Runs a program found on PATH (`arguments[0]`) with `input` on its standard input, in the
/// C.UTF-8 locale and with default signal mask and actions, and waits for it. Takes no shell.
/// Throws WorkError naming the program if it is not installed or cannot be started.
ProcessResult run_program(std::span<const std::string> arguments, const std::string& input);

}  // namespace regroup::apps
