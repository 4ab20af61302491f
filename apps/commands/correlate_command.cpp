#include "apps/commands/correlate_command.hpp"

#include <algorithm>

#include "apps/option_declaration.hpp"
#include "models/files/json_file.hpp"
#include "runs/correlate/correlate_files.hpp"
#include "runs/correlate/correlate_job.hpp"

namespace regroup::apps {

CLI::App* CorrelateCommand::declare(CLI::App& program) {
  CLI::App* command = program.add_subcommand(
      "correlate", "Compare what proxies say of groupings with what is measured of them");
  command->add_option("MODEL", options_.model, "Hugging Face directory or GGUF file")->required();
  command
      ->add_option("--data", options_.data,
                   "Text (.txt, UTF-8) or token ids (.bin, .npy): three quarters calibrate, the "
                   "last quarter measures")
      ->required()
      ->type_name("FILE");
  command
      ->add_option("--selection", options_.selection,
                   "Text or token ids to measure on; all of --data then calibrates (default: the "
                   "last quarter of --data)")
      ->type_name("FILE");
  command->add_option("-o,--output", options_.output, "Directory to write")
      ->required()
      ->type_name("DIR");
  declare_options(options_.options(), *command);
  command->add_flag(
      "--force", options_.force,
      "Write into a directory that holds files (replaces only those of this command)");
  compute_.declare(*command);
  declare_scratch(*command, options_.scratch);
  threads_.declare(*command);
  command->add_flag("--json", json_, "Print correlations.json");
  verbosity_.declare(*command);
  return command;
}

void CorrelateCommand::run(const Session& session) {
  std::ranges::sort(options_.kv);
  options_.kv.erase(std::unique(options_.kv.begin(), options_.kv.end()), options_.kv.end());
  threads_.apply();
  options_.compute = compute_.options();
  const nlohmann::ordered_json correlations =
      runs::run_correlate(options_, session.console, session.stop);
  session.console.print(json_ ? models::json_text(correlations, 2)
                              : runs::correlations_text(correlations));
}

}  // namespace regroup::apps
