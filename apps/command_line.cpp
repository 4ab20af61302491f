#include "apps/command_line.hpp"

#include <fmt/format.h>
#include <malloc.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <exception>
#include <functional>
#include <new>

#include "apps/command.hpp"
#include "apps/terminal/interrupt.hpp"
#include "apps/terminal/lost_input.hpp"
#include "regroup/version.hpp"
#include "runs/ranks/ranks.hpp"
#include "search/base/error.hpp"

namespace regroup::apps {
namespace {

constexpr int kWorkExit = 1;
constexpr int kInputExit = 2;

std::string version_text() {
  return fmt::format("regroup {} (LibTorch {}, {}, {})", kProgramVersion, kTorchVersion, kCompiler,
                     kBuildType);
}

/// Helpers leave it to the rank that they help, which meets the same.
int report_failure(int exit_code, const std::string& message) {
  if (runs::is_helper()) return 0;
  fmt::print(stderr, "regroup: {}\n", message);
  return exit_code;
}

/// The one place where errors become messages and exit codes.
int exit_code_of(const std::function<void()>& work) {
  try {
    work();
    return 0;
  } catch (const InputError& error) {
    return report_failure(kInputExit, error.what());
  } catch (const Interrupted& error) {
    return report_failure(kInterruptedExit, error.what());
  } catch (const Error& error) {
    return report_failure(kWorkExit, error.what());
  } catch (const std::bad_alloc&) {
    return report_failure(kWorkExit, "not enough memory");
  } catch (const std::exception& error) {
    // LibTorch's messages carry a stack trace after the first line.
    const std::string text = error.what();
    return report_failure(kWorkExit, text.substr(0, text.find('\n')));
  }
}

int report_usage(const CLI::App& program, const CLI::ParseError& error) {
  if (runs::is_helper()) return 0;
  const bool asked_for_help = error.get_exit_code() == 0;
  if (asked_for_help) return program.exit(error);
  fmt::print(stderr, "regroup: {}\n  see: regroup --help, regroup COMMAND --help\n", error.what());
  return kInputExit;
}

/// Writing beyond a file size limit or into a closed pipe is an error of the write, no signal.
void leave_write_errors_to_writes() {
  std::signal(SIGXFSZ, SIG_IGN);
  std::signal(SIGPIPE, SIG_IGN);
}

/// Evaluation asks for the same large tensors over and over; given back to the system each time,
/// the system's zeroing of their pages took a quarter of the time.
void keep_freed_memory() {
  constexpr int kLargestHeapBlock = 32 << 20;  // bytes; the C library takes no more
  constexpr int kKept = 1 << 30;
  mallopt(M_MMAP_THRESHOLD, kLargestHeapBlock);
  mallopt(M_TRIM_THRESHOLD, kKept);
}

}  // namespace

int run_command_line(int argc, char** argv) {
  leave_write_errors_to_writes();
  end_on_lost_input();
  keep_freed_memory();
  CLI::App program(
      "Finds the grouping of attention heads that keeps the most accuracy for every "
      "KV-cache size.",
      "regroup");
  program.set_version_flag("--version", version_text());
  program.require_subcommand(1);
  const std::vector<std::unique_ptr<Command>> commands = all_commands();
  std::vector<CLI::App*> declared;
  for (const auto& command : commands) declared.push_back(command->declare(program));
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return report_usage(program, error);
  } catch (const InputError& error) {
    return report_failure(kInputExit, error.what());
  }
  for (std::size_t i = 0; i < commands.size(); ++i) {
    if (!declared[i]->parsed()) continue;
    if (runs::is_helper() && !commands[i]->has_helpers()) return 0;
    return exit_code_of([&] {
      const InterruptWatch watch;
      const Console console(runs::is_helper() ? Verbosity::kQuiet : commands[i]->verbosity());
      commands[i]->run({console, watch.token(), {argv, argv + argc}});
    });
  }
  return kInputExit;  // unreachable: a subcommand is required
}

}  // namespace regroup::apps
