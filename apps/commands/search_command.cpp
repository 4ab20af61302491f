#include "apps/commands/search_command.hpp"

#include <utility>

#include "apps/option_declaration.hpp"
#include "apps/search/option_groups.hpp"
#include "apps/search/search_helper.hpp"
#include "apps/search/search_job.hpp"
#include "apps/search/search_summary.hpp"
#include "models/files/json_file.hpp"
#include "runs/ranks/ranks.hpp"

namespace regroup::apps {

CLI::App* SearchCommand::declare(CLI::App& program) {
  CLI::App* command = program.add_subcommand(
      "search", "Find groupings for every KV size, measure them, write a run directory");
  runs::RunPlace& place = request_.place;
  command->add_option("MODEL", place.model, "Hugging Face directory or GGUF file")->required();
  command->add_option("-o,--output", place.output, "Run directory to write")
      ->required()
      ->type_name("DIR");
  declare_options(request_.options(), *command);
  CLI::Option* force = command->add_flag(
      "--force", place.force, "Replace an earlier run in the directory (only files of a run)");
  command
      ->add_flag("--resume", place.resume, "Continue the run in the directory, if it is the same")
      ->excludes(force);
  keep_option_ = command->add_flag(
      "--keep-weights", keeps_weights_,
      "Keep the fitted weights of measured points in the run, so that convert, eval, generate and "
      "uptrain need not fit them anew; --keep-weights=false: keep none (default: where all of them "
      "take 1 GiB at most)");
  compute_.declare(*command);
  declare_scratch(*command, request_.place.scratch);
  threads_.declare(*command);
  command->add_flag("--json", json_, "Print the summary as JSON");
  verbosity_.declare(*command);
  group_search_options(*command);
  return command;
}

void SearchCommand::run(const Session& session) {
  request_.place.threads = threads_.apply();
  request_.place.command_line = session.arguments;
  if (keep_option_->count() > 0) request_.place.keeps_weights = keeps_weights_;
  request_.compute = compute_.options();
  if (runs::is_helper()) {
    help_search(std::move(request_), session.console, session.stop);
    return;
  }
  const SearchSummary summary = run_search(std::move(request_), session.console, session.stop);
  session.console.print(json_ ? models::json_text(summary_json(summary), 2)
                              : summary_text(summary));
}

}  // namespace regroup::apps
