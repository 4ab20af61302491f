#include "apps/search/search_job.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "apps/report/child_process.hpp"
#include "apps/report/write_report.hpp"
#include "apps/run_front.hpp"
#include "apps/sampled_text.hpp"
#include "apps/search/choices.hpp"
#include "apps/search/front_files.hpp"
#include "apps/search/measure_points.hpp"
#include "apps/search/measured_allocation.hpp"
#include "apps/search/priced_problems.hpp"
#include "apps/search/run_directory.hpp"
#include "apps/search/run_record.hpp"
#include "apps/search/run_statistics.hpp"
#include "apps/search/search_inputs.hpp"
#include "apps/search/selection_loss.hpp"
#include "apps/search/stage_times.hpp"
#include "apps/search/state_file.hpp"
#include "models/files/json_fields.hpp"
#include "models/files/json_file.hpp"
#include "search/exact/certify.hpp"
#include "search/method.hpp"

namespace regroup::apps {
namespace {

// Children of the run's key.
constexpr std::uint64_t kMethodKey = 1;
constexpr std::uint64_t kBaselineKey = 2;
constexpr std::uint64_t kEvalTextKey = 3;
constexpr std::uint64_t kCalibrationTextKey = 4;
constexpr std::uint64_t kSelectionTextKey = 5;
constexpr std::uint64_t kLabelKey = 6;
constexpr std::uint64_t kPaperKey = 7;
constexpr std::uint64_t kBootstrapKey = 8;

// The recipe of QCQA's paper.
constexpr const char* kPaperMethod = "qcqa";
constexpr const char* kPaperFitness = "wse";

search::RandomKey run_key(const SearchOptions& options) {
  return search::RandomKey(static_cast<std::uint64_t>(options.seed));
}

/// What tells two runs apart; a resumed run must have the same.
nlohmann::ordered_json identity(const SearchOptions& options, const SearchInputs& inputs) {
  return {{"regroup", version_record()},
          {"seed", options.seed},
          {"options", options.result_options()},
          {"data", data_hashes(options, inputs)}};
}

RunDirectory::Existing existing(const SearchOptions& options) {
  if (options.force) return RunDirectory::Existing::kReplace;
  return options.resume ? RunDirectory::Existing::kResume : RunDirectory::Existing::kRefuse;
}

/// Text of a run: given by the user, or written by the model itself.
models::TokenWindows text_windows(const std::optional<models::TokenWindows>& given,
                                  std::uint64_t key, const SearchOptions& options,
                                  const SearchInputs& inputs, std::stop_token stop,
                                  search::Progress& progress) {
  if (given) return *given;
  return sample_text(*inputs.language_model, run_key(options).split(key), stop, progress);
}

search::MethodOptions method_options(const SearchOptions& options, const SearchInputs& inputs,
                                     const search::KeyGrams* key_grams) {
  search::MethodOptions method;
  method.nsga2.population = options.population;
  method.nsga2.generations = options.generations;
  method.nsga2.evaluations = static_cast<std::size_t>(options.evaluations);
  method.nsga2.patience = options.patience;
  method.seconds = options.seconds;
  method.nodes = static_cast<std::size_t>(options.nodes);
  method.stage_two = find_stage_two(options.stage_two);
  method.seeds = inputs.seeds;
  method.key_grams = key_grams;
  method.dgqa = find_dgqa(options.dgqa);
  method.asymgqa = asymgqa_options(options);
  return method;
}

/// How far the found front is from the best possible one; nothing is known of a measured loss.
std::optional<search::Certificate> certify(const SearchOptions& options,
                                           const search::GroupingProblem& problem,
                                           const search::MethodResult& found,
                                           const search::MethodContext& context) {
  if (is_measured_search(options) || options.allocates_by_measuring()) return std::nullopt;
  if (found.certificate) return *found.certificate;
  const search::GroupSizes sizes = search::find_method(options.method).sizes(problem);
  const auto bounds = search::exact_front(problem, search::bound_units(problem, sizes, context));
  return search::certify(problem, found.front, bounds);
}

/// Puts the loss on the selection data in the place of the points' price.
void price_by_loss(std::vector<RunPoint>& points, const SelectionLoss& selection) {
  for (RunPoint& point : points) {
    const double loss = selection.score(point.recipe).score(point.point.grouping);
    point.point.objectives.error = loss;
    point.proxies.emplace(point.proxies.begin(), kSelectionLoss, loss);
  }
}

/// The sizes that a measured allocation answers: those of the limits, else what the run will show.
std::vector<int> allocated_sizes(const SearchOptions& options, const SearchInputs& inputs,
                                 const search::GroupingProblem& problem,
                                 const search::MethodResult& found) {
  std::set<int> sizes;
  for (const double limit : inputs.kv_limits) {
    sizes.insert(search::kv_heads_within(limit, problem.source_kv_heads()));
  }
  if (sizes.empty()) {
    for (const search::ModelPoint& point : shown_points(options, problem, found.front)) {
      sizes.insert(point.grouping.kv_heads());
    }
  }
  return {sizes.begin(), sizes.end()};
}

/// Gives the points of a measured allocation the KL that it chose them by.
void price_by_divergence(std::vector<RunPoint>& points,
                         const std::vector<search::ModelPoint>& front) {
  for (RunPoint& point : points) {
    if (point.series != "search") continue;
    const auto chosen =
        std::ranges::find(front, point.point.grouping, &search::ModelPoint::grouping);
    point.proxies.emplace_back(kSelectionDivergence, chosen->objectives.error);
  }
}

/// Runs the method; with `selection` it minimises the loss there.
search::MethodResult run_method(const SearchOptions& options, const search::MethodOptions& asked,
                                const search::GroupingProblem& problem,
                                const SelectionLoss* selection, const Console& console,
                                search::MethodContext context) {
  const search::SearchMethod& method = search::find_method(options.method);
  if (selection == nullptr) return method.run(problem, asked, context);
  const models::MergeRecipe recipe = options.recipe();
  selection->announce(method.candidates(problem, asked), recipe, console);
  const fitness::MeasuredScore score = selection->score(recipe);
  context.score = &score;
  return method.run(problem, asked, context);
}

/// The paper's recipe, QCQA by weight-sharing error with mean merges, for comparison; absent where
/// it is what the run does itself, or where rules or size leave it out.
std::optional<ComparedFront> paper_front(const SearchOptions& options,
                                         const PricedProblems& problems,
                                         search::MethodContext context) {
  const models::MergeRecipe recipe;
  const search::SearchMethod& method = search::find_method(kPaperMethod);
  const bool is_own = options.method == kPaperMethod && options.fitness == kPaperFitness &&
                      options.recipe() == recipe;
  const search::GroupingProblem* problem = problems.find(kPaperFitness);
  if (is_own || problem == nullptr) return std::nullopt;
  search::NoStateStore no_state;
  search::MethodOptions defaults;
  return ComparedFront{
      "paper", std::string(method.file_name()), recipe,
      method
          .run(*problem, defaults,
               {run_key(options).split(kPaperKey), context.stop, context.progress, no_state})
          .front};
}

/// What a run that is finished already left.
SearchSummary finished_summary(const std::filesystem::path& run) {
  const nlohmann::json record = models::read_json_file(run / "run.json");
  SearchSummary summary{.run = run, .was_finished = true, .front = read_front(run)};
  const std::string where = (run / "run.json").string();
  const nlohmann::json& timings = models::required_object(record, "timings", where);
  for (const auto& [stage, unused] : timings.items()) {
    summary.seconds[stage] = models::required_number(timings, stage, where);
  }
  return summary;
}

}  // namespace

SearchSummary run_search(const SearchOptions& asked, const Console& console, std::stop_token stop) {
  StageTimes times;
  search::Progress& progress = console.progress();
  auto model = std::make_shared<const models::PretrainedModel>(models::open_model(asked.model));
  SearchOptions options = asked;
  options.complete(model->config);
  require_valid(options);
  require_program("gnuplot");
  const SearchInputs inputs = open_inputs(options, std::move(model));
  RunDirectory directory(options.output, existing(options), identity(options, inputs));
  if (directory.is_finished()) return finished_summary(options.output);
  directory.begin();
  times.finish("open");

  RunTexts texts;
  RunStatistics statistics;
  if (uses_calibration(options)) {
    texts.calibration = text_windows(inputs.calibration_windows, kCalibrationTextKey, options,
                                     inputs, stop, progress);
    statistics = calibrate(*texts.calibration, options, inputs, directory,
                           run_key(options).split(kLabelKey), stop, progress);
    times.finish("calibrate");
  }
  const PricedProblems problems =
      price(options, inputs, statistics.calibration.get(), stop, progress);
  const std::vector<Eigen::MatrixXd> distances =
      method_distances(options, inputs, statistics.calibration.get(), stop, progress);
  times.finish("price");
  std::shared_ptr<const models::Converter> converter;
  if (inputs.language_model) {
    converter =
        std::make_shared<const models::Converter>(*inputs.language_model, statistics.calibration);
  }
  StateFile state(directory);
  std::optional<SelectionLoss> selection;
  if (selects_by_measuring(options)) {
    texts.selection =
        text_windows(inputs.selection_windows, kSelectionTextKey, options, inputs, stop, progress);
  }
  if (is_measured_search(options)) {
    selection.emplace(converter, *texts.selection, directory, stop);
  }
  const search::MethodContext context{run_key(options).split(kMethodKey), stop, progress, state,
                                      distances};
  search::MethodResult found =
      run_method(options, method_options(options, inputs, statistics.key_grams_or_null()),
                 problems.problem(), selection ? &*selection : nullptr, console, context);
  console.detail(
      fmt::format("{} candidates priced, {} on the front", found.evaluations, found.front.size()));
  std::optional<models::CandidateMeter> candidates;
  if (options.allocates_by_measuring()) {
    candidates.emplace(converter, *texts.selection);
    const MeasuredAllocation allocation(*candidates, options, directory, console, stop);
    found.front = allocation.allocate(problems.problem(), found,
                                      allocated_sizes(options, inputs, problems.problem(), found));
  }
  const std::optional<ComparedFront> paper = paper_front(options, problems, context);
  std::vector<RunPoint> points = choose_points(options, inputs.kv_limits, problems.problem(), found,
                                               paper, run_key(options).split(kBaselineKey));
  fill_proxies(points, problems);
  if (selection) price_by_loss(points, *selection);
  if (candidates) price_by_divergence(points, found.front);
  times.finish("search");
  const std::optional<search::Certificate> certificate =
      certify(options, problems.problem(), found, context);
  times.finish("certify");
  std::optional<fitness::LossEstimate> source;
  if (options.measure > 0) {
    texts.eval = text_windows(inputs.eval_windows, kEvalTextKey, options, inputs, stop, progress);
    source = measure_points(points, *converter, *texts.eval, run_key(options).split(kBootstrapKey),
                            directory, console, stop);
    times.finish("measure");
  }
  mark_front(points);
  SearchSummary summary{.run = options.output};
  summary.front = write_front(points, {certificate, source, statistics.file}, options,
                              *inputs.model, directory);
  directory.write("history.csv", history_csv(found.history));
  if (!found.proofs.empty()) directory.write("proof.csv", proof_csv(found.proofs));
  // The report is drawn from the record, which gets its final name last.
  const auto record = run_record(options, inputs, texts, found.evaluations);
  write_run_report(directory, record);
  times.finish("report");
  summary.seconds = times.seconds();
  for (const auto& [stage, seconds] : summary.seconds) {
    console.detail(fmt::format("{}: {}", stage, duration_text(seconds)));
  }
  directory.write("run.json",
                  models::json_text(finished_record(record, options, summary.seconds), 1) + "\n");
  return summary;
}

}  // namespace regroup::apps
