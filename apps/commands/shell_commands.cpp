#include "apps/commands/shell_commands.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "apps/shell/completion.hpp"
#include "apps/shell/manual_page.hpp"
#include "models/files/atomic_file.hpp"
#include "runs/base/output_directory.hpp"
#include "search/base/error.hpp"

namespace regroup::apps {
namespace {

std::vector<std::string> shell_names() {
  std::vector<std::string> names;
  for (const CompletedShell& shell : completed_shells()) names.emplace_back(shell.name);
  return names;
}

std::vector<std::string> page_names(const std::vector<ManualPage>& pages) {
  std::vector<std::string> names;
  for (const ManualPage& page : pages) names.push_back(page.command);
  return names;
}

}  // namespace

CLI::App* CompletionCommand::declare(CLI::App& program) {
  program_ = &program;
  CLI::App* command = program.add_subcommand(
      "completion", "Print the script with which a shell completes commands and options");
  CLI::Option* shell = command->add_option(
      "SHELL", shell_,
      fmt::format("{}; as in: source <(regroup completion bash)", fmt::join(shell_names(), ", ")));
  offer_choices(*shell->required(), shell_names());
  return command;
}

void CompletionCommand::run(const Session& session) {
  const auto found = std::ranges::find(completed_shells(), shell_, &CompletedShell::name);
  if (found == completed_shells().end()) {
    throw InputError({.what = "shell is not known",
                      .where = "SHELL",
                      .expected = fmt::format("one of {}", fmt::join(shell_names(), ", ")),
                      .found = shell_});
  }
  session.console.write(found->script(command_words(*program_)));
}

CLI::App* ManualCommand::declare(CLI::App& program) {
  program_ = &program;
  CLI::App* command = program.add_subcommand(
      "manual", "Print the manual's page of a command, as in: regroup manual search | man -l -");
  command->add_option("COMMAND", command_,
                      "Command whose page is printed (default: the program's)");
  command->add_option("-o,--output", output_, "Directory to write every page to instead, as NAME.1")
      ->type_name("DIR");
  return command;
}

void ManualCommand::run(const Session& session) {
  const std::vector<ManualPage> pages = manual_pages(command_words(*program_));
  if (!output_.empty()) {
    runs::make_directory(output_);
    for (const ManualPage& page : pages) {
      models::write_file_atomically(std::filesystem::path(output_) / page.file, page.text);
    }
    return;
  }
  const auto found = std::ranges::find(pages, command_, &ManualPage::command);
  if (found == pages.end()) {
    throw InputError({.what = "command is not known",
                      .where = "COMMAND",
                      .expected = fmt::format("one of {}", fmt::join(page_names(pages), ", ")),
                      .found = command_});
  }
  session.console.write(found->text);
}

}  // namespace regroup::apps
