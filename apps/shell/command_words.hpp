#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace regroup::apps {

/// One option or argument of a command, as help, completion and manual say it.
struct OptionWords {
  std::vector<std::string> names;  ///< "-o", "--output"; of an argument "MODEL"
  std::string help;
  std::string unit;                  ///< of its value, "FILE"; empty: it takes none
  std::string default_text;          ///< empty: help says it
  std::vector<std::string> choices;  ///< names to choose the value from; empty: any
  std::string group;                 ///< the heading that help shows it under
  bool is_required = false;

  /// Whether its value is the name of a file or directory.
  bool is_path() const;
  /// The longest of its names.
  const std::string& name() const;
};

/// A command with its own commands.
struct CommandWords {
  std::vector<std::string> path;  ///< {"grouping", "export"}; of the program itself empty
  std::string help;
  std::vector<OptionWords> arguments;
  std::vector<OptionWords> options;  ///< in the order of declaration, --help among them
  std::vector<CommandWords> commands;

  /// "grouping export"
  std::string words(const std::string& between = " ") const;
};

/// What is declared on a program, which its commands have been declared on.
CommandWords command_words(CLI::App& program);

/// Every command below, and this one first.
std::vector<const CommandWords*> all_commands_of(const CommandWords& program);

/// Lets an option say the names that its value is chosen from; what is given is not checked.
void offer_choices(CLI::Option& option, const std::vector<std::string>& names);

}  // namespace regroup::apps
