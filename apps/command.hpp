#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <stop_token>
#include <vector>

#include "apps/terminal/console.hpp"

namespace regroup::apps {

/// What a command has while it runs.
struct Session {
  const Console& console;
  std::stop_token stop;
  std::vector<std::string> arguments;  ///< of the program, for run.json
};

/// One command of the program: declares its options, then runs with what they say.
class Command {
 public:
  virtual ~Command() = default;
  /// Adds the subcommand and its options; what they say is stored in the command.
  virtual CLI::App* declare(CLI::App& program) = 0;
  /// Throws the errors of search/error.hpp; a return is success.
  virtual void run(const Session& session) = 0;
  virtual Verbosity verbosity() const = 0;
  /// Whether further ranks of an MPI job help it; of other commands they do nothing.
  virtual bool has_helpers() const { return false; }
};

/// Every command, in the order of the help.
std::vector<std::unique_ptr<Command>> all_commands();

}  // namespace regroup::apps
