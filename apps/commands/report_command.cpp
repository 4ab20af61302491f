#include "apps/commands/report_command.hpp"

#include "apps/report/write_report.hpp"
#include "search/base/error.hpp"

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
  const std::filesystem::path page = output_;
  if (page.extension() != ".html") {
    throw InputError({.what = "a report is an HTML page",
                      .where = "--output",
                      .expected = "a file name that ends in .html",
                      .found = output_});
  }
  require_writable_file(page, "--output");
  require_writable_file(std::filesystem::path(page).replace_extension(".svg"), "--output");
  write_report(runs_, output_, session.console);
  session.console.print(output_);
}

}  // namespace regroup::apps
