#include "apps/search/search_job.hpp"

#include <fmt/format.h>

#include <chrono>

#include "apps/report/write_report.hpp"
#include "apps/search/choices.hpp"
#include "apps/search/front_files.hpp"
#include "apps/search/measure_points.hpp"
#include "apps/search/run_directory.hpp"
#include "apps/search/run_record.hpp"
#include "apps/search/search_inputs.hpp"
#include "fitness/fitness.hpp"
#include "search/method.hpp"

namespace regroup::apps {
namespace {

// Children of the run's key.
constexpr std::uint64_t kMethodKey = 1;
constexpr std::uint64_t kBaselineKey = 2;
constexpr std::uint64_t kEvalTextKey = 3;

/// Text that the model writes where none is given (DESIGN, "Command line").
constexpr int kSampledWindows = 64;
constexpr int kSampledContext = 256;

/// Measures the time of the stages, one after the other.
class StageTimes {
 public:
  void finish(const std::string& stage) {
    const auto now = Clock::now();
    seconds_[stage] = std::chrono::duration<double>(now - last_).count();
    seconds_["total"] = std::chrono::duration<double>(now - started_).count();
    last_ = now;
  }
  const std::map<std::string, double>& seconds() const { return seconds_; }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point started_ = Clock::now();
  Clock::time_point last_ = started_;
  std::map<std::string, double> seconds_;
};

/// What tells two runs apart; a resumed run must have the same.
nlohmann::ordered_json identity(const SearchOptions& options, const SearchInputs& inputs) {
  return {{"regroup", version_record()},
          {"seed", options.seed},
          {"options", options.result_options()},
          {"data", data_hashes(inputs)}};
}

RunDirectory::Existing existing(const SearchOptions& options) {
  if (options.force) return RunDirectory::Existing::kReplace;
  return options.resume ? RunDirectory::Existing::kResume : RunDirectory::Existing::kRefuse;
}

search::GroupingProblem make_problem(const SearchOptions& options, const SearchInputs& inputs,
                                     std::stop_token stop, search::Progress& progress) {
  const fitness::Fitness& fitness = fitness::find_fitness(options.fitness);
  return {fitness.layer_costs({*inputs.model, stop, progress}), find_sharing(options.partitions)};
}

search::MethodResult run_method(const SearchOptions& options,
                                const search::GroupingProblem& problem, std::stop_token stop,
                                search::Progress& progress) {
  const search::MethodOptions method{
      {.population = options.population, .generations = options.generations},
      options.group_limit,
      find_stage_two(options.stage_two)};
  return search::find_method(options.method)
      .run(problem, method, search::RandomKey(options.seed).split(kMethodKey), stop, progress);
}

/// The windows that the report shows: of --eval, or written by the model itself.
models::TokenWindows eval_windows(const SearchOptions& options, const SearchInputs& inputs,
                                  std::stop_token stop, search::Progress& progress) {
  if (inputs.eval_windows) return *inputs.eval_windows;
  const int context = std::min(inputs.model->config.context, kSampledContext);
  progress.begin("sampling text from the model",
                 static_cast<std::size_t>(kSampledWindows) * static_cast<std::size_t>(context),
                 "tokens");
  models::TokenWindows windows = inputs.language_model->sample(
      kSampledWindows, context, search::RandomKey(options.seed).split(kEvalTextKey), stop,
      progress);
  progress.end();
  return windows;
}

}  // namespace

SearchSummary run_search(const SearchOptions& options, const Console& console,
                         std::stop_token stop) {
  StageTimes times;
  search::Progress& progress = console.progress();
  require_valid(options);
  const SearchInputs inputs = open_inputs(options);
  RunDirectory directory(options.output, existing(options), identity(options, inputs));
  SearchSummary summary{.run = options.output,
                        .was_finished = directory.is_finished(),
                        .kv_heads_of_source = inputs.source_kv_heads()};
  if (summary.was_finished) return summary;
  directory.begin();
  times.finish("open");

  const search::GroupingProblem problem = make_problem(options, inputs, stop, progress);
  times.finish("price");
  const search::MethodResult found = run_method(options, problem, stop, progress);
  times.finish("search");
  summary.points =
      choose_points(options, problem, found, search::RandomKey(options.seed).split(kBaselineKey));

  std::optional<models::TokenWindows> windows;
  if (options.measure > 0) {
    windows = eval_windows(options, inputs, stop, progress);
    const fitness::LossMeter meter(*inputs.language_model, *windows);
    summary.source = measure_points(summary.points, meter, directory, console, stop);
    times.finish("measure");
  }
  mark_front(summary.points);
  write_front(summary.points, summary.source, options, *inputs.model, directory);
  directory.write("history.csv", history_csv(found.history));
  // The report is drawn from the record, which gets its final name last.
  const auto record = run_record(options, inputs, windows, found.evaluations);
  write_run_report(directory, record);
  times.finish("report");
  summary.seconds = times.seconds();
  directory.write("run.json", finished_record(record, options, summary.seconds).dump(1) + "\n");
  return summary;
}

}  // namespace regroup::apps
