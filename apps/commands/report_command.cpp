#include "apps/commands/report_command.hpp"

#include "apps/report/write_report.hpp"

namespace regroup::apps {

CLI::App* ReportCommand::declare(CLI::App& program) {
  CLI::App* command = program.add_subcommand(
      "report", "One page for one run or several, with its chart beside it as .svg");
  command->add_option("RUN", runs_, "Run directories")->required();
  command->add_option("-o,--output", output_, "Page to write, as report.html")
      ->required()
      ->type_name("FILE");
  verbosity_.declare(*command);
  return command;
}

void ReportCommand::run(const Session& session) {
  require_writable_parent(output_, "--output");
  write_report(runs_, output_);
  session.console.print(output_);
}

}  // namespace regroup::apps
