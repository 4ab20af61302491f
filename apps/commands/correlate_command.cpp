#include "apps/commands/correlate_command.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "models/files/json_file.hpp"
#include "models/merge/merge_operator.hpp"
#include "models/merge/operators/merge_table.hpp"
#include "runs/correlate/correlate_files.hpp"
#include "runs/correlate/correlate_job.hpp"

namespace regroup::apps {

CLI::App* CorrelateCommand::declare(CLI::App& program) {
  CLI::App* command = program.add_subcommand(
      "correlate", "Compare what proxies say of groupings with what is measured of them");
  command->add_option("MODEL", options_.model, "Hugging Face directory")->required();
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
  command
      ->add_option("--tokens", options_.tokens,
                   "Use no more tokens of --data than this, spread evenly over it (0: all)")
      ->capture_default_str()
      ->type_name("N");
  command->add_option("-o,--output", options_.output, "Directory to write")
      ->required()
      ->type_name("DIR");
  declare_groupings(*command);
  command->add_option("--seed", options_.seed, "Of every random draw")
      ->capture_default_str()
      ->type_name("N");
  command->add_flag(
      "--force", options_.force,
      "Write into a directory that holds files (replaces only those of this command)");
  compute_.declare(*command);
  threads_.declare(*command);
  command->add_flag("--json", json_, "Print correlations.json");
  verbosity_.declare(*command);
  return command;
}

void CorrelateCommand::declare_groupings(CLI::App& command) {
  command
      .add_option("--merge", options_.merge,
                  fmt::format("Merge operator: {}", fmt::join(models::merge_names(), ", ")))
      ->capture_default_str()
      ->type_name("MERGE");
  command.add_flag("--renorm", options_.renorm,
                   "Give a shared head the mean norm of its members (mean, weighted, aligned)");
  command
      .add_option("--refit", options_.refit,
                  "Fit output and query projections anew on the calibration text: none, output, "
                  "query, both")
      ->capture_default_str()
      ->type_name("WHAT");
  command
      .add_option(
          "--samples", options_.samples,
          "Random groupings of each KV size, and of each layer and number of groups, beside "
          "neighbour GQA and every proxy's best")
      ->capture_default_str()
      ->type_name("N");
  command.add_flag("--exhaustive", options_.exhaustive,
                   "Every grouping of each KV size, and of each layer and number of groups, in "
                   "place of random ones: the true optimum, for models of few layers and heads");
  command
      .add_option("--kv", options_.kv,
                  "KV sizes to compare at, as parts of the source's (default: of 0.75, 0.5, 0.375, "
                  "0.25, 0.125 those that the model reaches)")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("RATIO,…");
}

void CorrelateCommand::run(const Session& session) {
  std::ranges::sort(options_.kv);
  options_.kv.erase(std::unique(options_.kv.begin(), options_.kv.end()), options_.kv.end());
  threads_.apply();
  options_.compute = compute_.options();
  options_.dtype = compute_.dtype;
  const nlohmann::ordered_json correlations =
      runs::run_correlate(options_, session.console, session.stop);
  session.console.print(json_ ? models::json_text(correlations, 2)
                              : runs::correlations_text(correlations));
}

}  // namespace regroup::apps
