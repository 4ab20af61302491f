#include "apps/commands/search_command.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "apps/search/search_job.hpp"
#include "apps/search/search_summary.hpp"
#include "fitness/fitness.hpp"
#include "models/files/json_file.hpp"
#include "models/merge/merge_operator.hpp"
#include "models/merge/operators/merge_table.hpp"
#include "search/method/method.hpp"
#include "search/methods/method_table.hpp"

namespace regroup::apps {
namespace {

std::string choices(const std::string& help, const std::vector<std::string_view>& names) {
  return fmt::format("{}: {}", help, fmt::join(names, ", "));
}

template <class T>
void sort_and_unique(std::vector<T>& values) {
  std::ranges::sort(values);
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

}  // namespace

CLI::App* SearchCommand::declare(CLI::App& program) {
  CLI::App* command = program.add_subcommand(
      "search", "Find groupings for every KV size, measure them, write a run directory");
  command->add_option("MODEL", options_.model, "Hugging Face directory")->required();
  command->add_option("-o,--output", options_.output, "Run directory to write")
      ->required()
      ->type_name("DIR");
  declare_method(*command);
  declare_rules(*command);
  declare_budget(*command);
  declare_asymgqa(*command);
  declare_data(*command);
  command->add_option("--seed", options_.seed, "Of every random draw")
      ->capture_default_str()
      ->type_name("N");
  CLI::Option* force = command->add_flag(
      "--force", options_.force, "Replace an earlier run in the directory (only files of a run)");
  command
      ->add_flag("--resume", options_.resume,
                 "Continue the run in the directory, if it is the same")
      ->excludes(force);
  compute_.declare(*command);
  threads_.declare(*command);
  command->add_flag("--json", json_, "Print the summary as JSON");
  verbosity_.declare(*command);
  return command;
}

void SearchCommand::declare_method(CLI::App& command) {
  command
      .add_option(
          "--method", options_.method,
          choices("Search", search::method_names()) +
              " (default: exact where it is proven in minutes, up to 16 KV heads, else qcqa)")
      ->type_name("METHOD");
  command
      .add_option(
          "--fitness", options_.fitness,
          choices("Price of a grouping", fitness::fitness_names()) +
              "; loss, accuracy: measured on --selection (asymgqa, exhaustive) (default: fisher)")
      ->type_name("FITNESS");
  command
      .add_option("--merge", options_.merge,
                  choices("Merge operator", models::merge_names()) + " (default: optimal)")
      ->type_name("MERGE");
  command.add_flag("--renorm", options_.renorm,
                   "Give a shared head the mean norm of its members (mean, weighted, aligned)");
  command
      .add_option("--refit", options_.refit,
                  "Fit output and query projections anew on the calibration text: none, output, "
                  "query, both (default: both; none where --merge or a measured fitness is given)")
      ->type_name("WHAT");
  command
      .add_option(
          "--reconstruct", options_.reconstruct,
          "Gradient steps that then fit each layer's attention on the calibration text, as 60 "
          "or 120 (0: none, closed form only)")
      ->capture_default_str()
      ->type_name("N");
  command
      .add_option("--partitions", options_.partitions,
                  "Keys and values by one partition (joint) or each by their own "
                  "(independent) (default: joint)")
      ->type_name("KIND");
  command
      .add_option("--allocation", options_.allocation,
                  "Split of the KV heads over layers by the price (proxy), or by KL(source ‖ "
                  "converted) of single layers on --selection (measured) (default: proxy)")
      ->type_name("HOW");
  command
      .add_option("--kv", options_.kv,
                  "Limits of the KV size as parts of the source's, in (0, 1]: the best grouping "
                  "within each (default: the whole front)")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("RATIO,…");
  command
      .add_option("--stage-two", options_.stage_two,
                  "Stage 2 chooses per layer any member of its front (member), or grouped or "
                  "not (bit, the paper's)")
      ->capture_default_str();
  command
      .add_option("--dgqa", options_.dgqa,
                  "What method dgqa deals by: the change of the key norms from one calibration "
                  "window to the next (diff), or their moving average (ema)")
      ->capture_default_str();
}

void SearchCommand::declare_rules(CLI::App& command) {
  command
      .add_option("--layout", options_.layout,
                  "Groupings that this layout of a checkpoint holds: any; per-layer (equal sizes "
                  "within a layer); standard (equal sizes, the same in all layers)")
      ->capture_default_str();
  command.add_option("--min-groups", options_.min_groups, "Fewest groups of a layer")
      ->capture_default_str()
      ->type_name("N");
  command
      .add_option("--group-limit", options_.group_limit,
                  "Most groups of a layer (0: the number of KV heads)")
      ->capture_default_str()
      ->type_name("N");
  command
      .add_option("--freeze-layers", options_.freeze_layers,
                  "Layers, from 0, whose heads are left as they are")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("LAYER,…");
  declare_cache_setting(options_.cache, command);
}

void SearchCommand::declare_budget(CLI::App& command) {
  command.add_option("--population", options_.population, "Candidates per generation")
      ->capture_default_str()
      ->type_name("N");
  command.add_option("--generations", options_.generations, "Generations per stage")
      ->capture_default_str()
      ->type_name("N");
  command
      .add_option("--evaluations", options_.evaluations,
                  "Candidates that a stage looks at before it ends (0: no limit)")
      ->capture_default_str()
      ->type_name("N");
  command
      .add_option("--patience", options_.patience,
                  "Generations without a better front before a search ends (0: no limit)")
      ->capture_default_str()
      ->type_name("N");
  command
      .add_option("--seconds", options_.seconds,
                  "Time before a stage, or the exact method's proof, ends; the counts it reached "
                  "are recorded (0: no limit)")
      ->capture_default_str()
      ->type_name("S");
  command
      .add_option("--nodes", options_.nodes,
                  "Method exact where not all groups are priced: subsets that are bounded for each "
                  "layer and number "
                  "of groups; more prove more")
      ->capture_default_str()
      ->type_name("N");
  command
      .add_option("--seed-grouping", options_.seed_groupings,
                  "Grouping JSON that the search begins with; may be given several times")
      ->allow_extra_args(false)
      ->type_name("FILE");
}

void SearchCommand::declare_asymgqa(CLI::App& command) {
  command
      .add_option("--distance", options_.distance,
                  "asymgqa: heads are compared by what they make of the calibration text "
                  "(activation) or by their weights (weight)")
      ->capture_default_str();
  command
      .add_option(
          "--iterations", options_.iterations,
          fmt::format("asymgqa: moves tried in each layer for each number of groups (0: {}, "
                      "with a measured fitness {})",
                      search::kPricedIterations, search::kMeasuredIterations))
      ->capture_default_str()
      ->type_name("N");
  command
      .add_option("--accept", options_.accept,
                  "asymgqa: probability to go on from a grouping that is not the best so far")
      ->capture_default_str()
      ->type_name("P");
  command
      .add_option("--reset", options_.reset,
                  "asymgqa: probability to start a move from a new random grouping")
      ->capture_default_str()
      ->type_name("P");
}

void SearchCommand::declare_data(CLI::App& command) {
  command
      .add_option("--calibration", options_.calibration,
                  "Text or token ids for statistics of activations; the fitness activation, the "
                  "methods kdgqa and dgqa and asymgqa's distances need them (default: sampled from "
                  "the model where needed)")
      ->type_name("FILE");
  command
      .add_option(
          "--selection", options_.selection,
          "Text or token ids that --fitness loss or accuracy and --allocation measured measure on "
          "(default: the last quarter of "
          "--calibration, which is then left out there; else sampled from the model)")
      ->type_name("FILE");
  command
      .add_option("--eval", options_.eval,
                  "Text or token ids to report losses on (default: sampled from the model)")
      ->type_name("FILE");
  command
      .add_option("--eval-tokens", options_.eval_tokens,
                  "Score no more tokens of --eval than this, spread evenly over it (0: all)")
      ->capture_default_str()
      ->type_name("N");
  command
      .add_option("--measure", options_.measure,
                  "Front points whose loss is measured (0: proxy only)")
      ->capture_default_str()
      ->type_name("N");
  command
      .add_option("--cache-dtype", options_.cache_dtypes,
                  "Measure source and points of the search also with KV caches of these types of "
                  "llama.cpp: f16, q8_0, q4_0; or none (default: q8_0,q4_0 for causal models whose "
                  "heads are whole blocks of 32)")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("TYPE,…");
}

void SearchCommand::run(const Session& session) {
  sort_and_unique(options_.kv);
  sort_and_unique(options_.freeze_layers);
  options_.threads = threads_.apply();
  options_.compute = compute_.options();
  options_.dtype = compute_.dtype;
  options_.command_line = session.arguments;
  const SearchSummary summary = run_search(options_, session.console, session.stop);
  session.console.print(json_ ? models::json_text(summary_json(summary), 2)
                              : summary_text(summary));
}

}  // namespace regroup::apps
