#include "apps/search/search_job.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "apps/report/write_report.hpp"
#include "apps/search/run_keys.hpp"
#include "models/files/json_fields.hpp"
#include "models/files/json_file.hpp"
#include "runs/base/stage_times.hpp"
#include "runs/base/version_record.hpp"
#include "runs/directory/run_directory.hpp"
#include "runs/directory/state_file.hpp"
#include "runs/inputs/open_model.hpp"
#include "runs/inputs/sampled_text.hpp"
#include "runs/points/keep_fitted.hpp"
#include "runs/points/measure_points.hpp"
#include "runs/points/measured_allocation.hpp"
#include "runs/points/measured_selection.hpp"
#include "runs/points/run_front.hpp"
#include "runs/records/front_files.hpp"
#include "runs/search/joined_result.hpp"
#include "runs/search/priced_problems.hpp"
#include "runs/search/run_method.hpp"
#include "runs/search/run_record.hpp"
#include "runs/search/run_statistics.hpp"
#include "runs/search/search_inputs.hpp"
#include "runs/search/width_store.hpp"

namespace regroup::apps {
namespace {

/// What tells two runs apart; a resumed run must have the same.
nlohmann::ordered_json identity(const runs::SearchPlan& plan, const runs::SearchInputs& inputs) {
  nlohmann::ordered_json identity = {{"regroup", runs::version_record()},
                                     {"seed", plan.seed},
                                     {"options", plan.options},
                                     {"data", runs::data_hashes(plan, inputs)}};
  if (inputs.joins_documents()) identity["join"] = models::join_name(plan.data.join);
  return identity;
}

runs::RunDirectory::Existing existing(const runs::RunPlace& place) {
  if (place.force) return runs::RunDirectory::Existing::kReplace;
  return place.resume ? runs::RunDirectory::Existing::kResume
                      : runs::RunDirectory::Existing::kRefuse;
}

/// Puts what is measured on the selection data in the place of the points' price.
void price_by_measuring(std::vector<runs::RunPoint>& points,
                        const runs::MeasuredSelection& selection) {
  for (runs::RunPoint& point : points) {
    const double measured = selection.score(point.recipe).score(point.point.grouping);
    point.point.objectives.error = measured;
    point.proxies.emplace(point.proxies.begin(), selection.fitness().field, measured);
  }
}

/// The sizes that a measured allocation answers: those of the limits, else what the run will show.
std::vector<int> allocated_sizes(const runs::SearchPlan& plan, const runs::SearchInputs& inputs,
                                 const search::GroupingProblem& problem,
                                 const search::MethodResult& found) {
  std::set<int> sizes;
  for (const double limit : inputs.kv_limits) {
    const int size = search::kv_heads_within(limit, problem.source_kv_heads());
    if (size >= problem.smallest_kv_heads()) sizes.insert(size);
  }
  if (sizes.empty()) {
    for (const search::ModelPoint& point :
         runs::shown_points(plan.measuring, problem, found.front)) {
      sizes.insert(static_cast<int>(point.objectives.size));
    }
  }
  return {sizes.begin(), sizes.end()};
}

/// Gives the points of a measured allocation the KL that it chose them by.
void price_by_divergence(std::vector<runs::RunPoint>& points,
                         const std::vector<search::ModelPoint>& front) {
  for (runs::RunPoint& point : points) {
    if (point.series != "search") continue;
    const auto chosen =
        std::ranges::find(front, point.point.grouping, &search::ModelPoint::grouping);
    point.proxies.emplace_back(runs::kSelectionDivergence, chosen->objectives.error);
  }
}

/// What a run that is finished already left.
SearchSummary finished_summary(const std::filesystem::path& run) {
  const nlohmann::json record = models::read_json_file(run / "run.json");
  SearchSummary summary{.run = run, .was_finished = true, .front = runs::read_front(run)};
  const std::string where = (run / "run.json").string();
  const nlohmann::json& timings = models::required_object(record, "timings", where);
  for (const auto& [stage, unused] : timings.items()) {
    summary.seconds[stage] = models::required_number(timings, stage, where);
  }
  return summary;
}

/// One search from opened inputs on, step by step.
class SearchJob {
 public:
  SearchJob(const runs::SearchPlan& plan, const runs::SearchInputs& inputs,
            const runs::RunDirectory& directory, runs::StageTimes& times, const Console& console,
            std::stop_token stop)
      : plan_(plan),
        inputs_(inputs),
        directory_(directory),
        times_(times),
        console_(console),
        stop_(std::move(stop)),
        state_(directory) {}

  SearchSummary run() {
    prepare();
    const runs::PricedProblems problems =
        runs::price(plan_, inputs_, statistics_.calibration.get(), stop_, console_.progress());
    const std::vector<Eigen::MatrixXd> distances = runs::method_distances(
        plan_, inputs_, statistics_.calibration.get(), stop_, console_.progress());
    times_.finish("price");
    search::MethodContext context{key(kMethodKey), stop_, console_.progress(), state_, distances};
    if (problems.by_width.size() > 1) {
      context.effort = 1 / static_cast<double>(problems.by_width.size());
    }
    const search::MethodResult found = search(problems, context);
    std::vector<runs::RunPoint> points = priced_points(problems, found, context);
    times_.finish("search");
    const auto certificate = runs::certify(plan_, problems, found, context);
    times_.finish("certify");
    const auto source = measure(points);
    const auto uptrained = uptrain(points);
    return write(points, {certificate, source, statistics_.named_by_groupings, uptrained}, found);
  }

 private:
  search::RandomKey key(std::uint64_t child) const { return run_key(plan_).split(child); }

  /// Text of the run: given by the user, or written by the model itself.
  models::Windows text(const std::optional<models::Windows>& given, std::uint64_t key) const {
    if (given) return *given;
    return runs::sample_text(*inputs_.language_model, this->key(key), stop_, console_.progress());
  }

  /// Texts and statistics that the search needs.
  void prepare() {
    if (plan_.uses_calibration()) {
      texts_.calibration = text(inputs_.calibration_windows, kCalibrationTextKey);
      statistics_ = runs::calibrate(*texts_.calibration, plan_, inputs_, directory_, key(kLabelKey),
                                    stop_, console_.progress());
      times_.finish("calibrate");
    }
    if (inputs_.language_model) {
      merger_ =
          std::make_shared<const models::Merger>(*inputs_.language_model, statistics_.calibration);
    }
    if (plan_.selects_by_measuring()) {
      texts_.selection = text(inputs_.selection_windows, kSelectionTextKey);
    }
    if (const auto* measured = plan_.price.measured()) {
      selection_.emplace(*measured, merger_, *texts_.selection, directory_, stop_);
    }
  }

  /// What is found in groups of all widths.
  search::MethodResult search(const runs::PricedProblems& problems,
                              const search::MethodContext& context) {
    std::vector<runs::WidthResult> results;
    if (plan_.widths.is_free) {
      results.push_back({&problems.problem(), runs::free_widths(inputs_, problems)});
    }
    for (std::size_t w = 0; w < problems.by_width.size(); ++w) {
      const search::GroupingProblem& problem = problems.by_width[w];
      results.push_back({&problem, search_width(problem, context, w)});
    }
    search::MethodResult found =
        runs::joined_result(plan_, inputs_.model->config, std::move(results), context);
    console_.detail(fmt::format("{} candidates priced, {} on the front", found.evaluations,
                                found.front.size()));
    return found;
  }

  /// What the method finds in groups of one width, the KV heads split over the layers as the
  /// options ask.
  search::MethodResult search_width(const search::GroupingProblem& problem,
                                    const search::MethodContext& context, std::size_t width) {
    const bool is_head = problem.rules().multiples.are_heads();
    runs::WidthStore store(state_, problem.rules().multiples);
    search::MethodContext own{is_head ? context.key : context.key.split(width), context.stop,
                              context.progress, store, context.head_distances};
    own.effort = context.effort;
    search::MethodResult found =
        runs::run_method(plan_, inputs_, statistics_.key_grams_or_null(), problem,
                         selection_ ? &*selection_ : nullptr, console_, own);
    if (plan_.allocates_by_measuring()) {
      const models::CandidateMeter meter(merger_, *texts_.selection);
      const runs::MeasuredAllocation allocation(meter, plan_.recipe, directory_, console_, stop_);
      found.front =
          allocation.allocate(problem, found, allocated_sizes(plan_, inputs_, problem, found));
    }
    return found;
  }

  /// The points that the run shows, with their prices.
  std::vector<runs::RunPoint> priced_points(const runs::PricedProblems& problems,
                                            const search::MethodResult& found,
                                            const search::MethodContext& context) const {
    search::NoStateStore no_state;
    const auto paper = runs::paper_front(
        plan_, problems, {key(kPaperKey), context.stop, context.progress, no_state});
    std::vector<runs::RunPoint> points =
        runs::choose_points({std::string(plan_.method->file_name()), plan_.recipe, plan_.measuring},
                            inputs_.kv_limits, problems.problem(), found, paper, key(kBaselineKey));
    runs::fill_proxies(points, problems);
    const models::ModelConfig& config = inputs_.model->config;
    const runs::ComputeChoice& compute = plan_.compute_choice;
    runs::fill_compute(points, {config, plan_.cache.tokens_of_sequence(config)},
                       compute != runs::ComputeChoice());
    if (selection_) price_by_measuring(points, *selection_);
    if (plan_.allocates_by_measuring()) price_by_divergence(points, found.front);
    return points;
  }

  /// Decides whether the weights that measuring fits are kept, and says where they are not.
  void prepare_keeping(const std::vector<runs::RunPoint>& points) {
    if (!plan_.recipe.fits_layers() || !statistics_.named_by_run) return;
    kept_.emplace(directory_.path(), *inputs_.model, statistics_.named_by_run->sha256);
    const runs::KeepingPlan keeping =
        runs::keep_fitted(points, *kept_, *inputs_.model, plan_.place.keeps_weights);
    if (keeping.keeps) return;
    kept_.reset();
    if (plan_.place.keeps_weights) return;
    console_.log(
        fmt::format("Fitted weights would take {} and are not kept; --keep-weights keeps "
                    "them, so that convert, eval, generate and uptrain need not fit anew.",
                    runs::size_text(keeping.bytes)));
  }

  /// Measures the points on the data that are reported; what the source gives, if they are.
  std::optional<runs::SourceMeasures> measure(std::vector<runs::RunPoint>& points) {
    std::optional<runs::SourceMeasures> source;
    if (plan_.measuring.points > 0) {
      texts_.eval = text(inputs_.eval_windows, kEvalTextKey);
      prepare_keeping(points);
      runs::PointScores scores(merger_, store(), *texts_.eval, plan_.measuring.caches,
                               helper_setup(), directory_, console_, stop_);
      source = runs::measure_points(points, scores, key(kBootstrapKey));
      times_.finish("measure");
    }
    runs::mark_front(points, plan_.compute_choice.is_objective);
    return source;
  }

  /// Trains the measured points and measures them again, where that is asked for.
  std::optional<runs::UptrainAgreement> uptrain(std::vector<runs::RunPoint>& points) {
    if (plan_.measuring.uptrain_tokens == 0 || plan_.measuring.points == 0) return std::nullopt;
    const auto own = [&] {
      return models::windows_of(*inputs_.uptrain, inputs_.model->config, texts_.eval->context(), 0);
    };
    const runs::UptrainSetting setting{
        plan_.measuring.uptrain_tokens,
        inputs_.uptrain ? own() : text(inputs_.calibration_windows, kCalibrationTextKey),
        inputs_.uptrain ? inputs_.uptrain->sha256 : inputs_.calibration_sha256, *texts_.eval,
        key(kUptrainKey)};
    const auto agreement =
        runs::uptrain_points(points, *merger_, store(), setting, directory_, console_, stop_);
    times_.finish("uptrain");
    return agreement;
  }

  const models::MergeStore* store() const { return kept_ ? &*kept_ : nullptr; }

  runs::HelperSetup helper_setup() const {
    runs::HelperSetup setup;
    if (statistics_.named_by_run) {
      // As the file is named from the run's folder, or absolutely.
      setup.calibration =
          std::filesystem::absolute(directory_.path() / statistics_.named_by_run->file);
      setup.calibration_sha256 = statistics_.named_by_run->sha256;
    }
    setup.run = std::filesystem::absolute(directory_.path());
    if (kept_) setup.wanted.assign(kept_->wanted().begin(), kept_->wanted().end());
    return setup;
  }

  SearchSummary write(const std::vector<runs::RunPoint>& points,
                      const runs::FrontSummary& found_summary, const search::MethodResult& found) {
    SearchSummary summary{.run = plan_.place.output};
    summary.front = runs::write_front(points, found_summary, plan_, *inputs_.model, directory_);
    directory_.write("history.csv", runs::history_csv(found.history));
    if (!found.proofs.empty()) directory_.write("proof.csv", runs::proof_csv(found.proofs));
    // The report is drawn from the record, which gets its final name last.
    const auto record = runs::run_record(plan_, inputs_, texts_, found.evaluations);
    write_run_report(directory_, record, console_);
    times_.finish("report");
    summary.seconds = times_.seconds();
    for (const auto& [stage, seconds] : summary.seconds) {
      console_.detail(fmt::format("{}: {}", stage, runs::duration_text(seconds)));
    }
    directory_.write(
        "run.json",
        models::json_text(
            runs::finished_record(record, plan_, statistics_.named_by_run, summary.seconds), 1) +
            "\n");
    return summary;
  }

  const runs::SearchPlan& plan_;
  const runs::SearchInputs& inputs_;
  const runs::RunDirectory& directory_;
  runs::StageTimes& times_;
  const Console& console_;
  std::stop_token stop_;
  runs::StateFile state_;
  runs::RunTexts texts_;
  runs::RunStatistics statistics_;
  std::shared_ptr<const models::Merger> merger_;
  std::optional<runs::MeasuredSelection> selection_;
  std::optional<runs::KeptWeights> kept_;
};

}  // namespace

SearchSummary run_search(runs::SearchRequest request, const Console& console,
                         std::stop_token stop) {
  runs::StageTimes times;
  auto model = runs::open_model(request.place.model, console);
  models::require_equal_layers(*model);
  const runs::SearchPlan plan = runs::make_plan(std::move(request), model->config);
  const runs::SearchInputs inputs = runs::open_inputs(plan, console, std::move(model));
  runs::RunDirectory directory(plan.place.output, existing(plan.place), identity(plan, inputs));
  if (directory.is_finished()) return finished_summary(plan.place.output);
  directory.begin();
  times.finish("open");
  return SearchJob(plan, inputs, directory, times, console, std::move(stop)).run();
}

}  // namespace regroup::apps
