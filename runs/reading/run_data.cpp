#include "runs/reading/run_data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "models/files/json_fields.hpp"
#include "models/files/json_file.hpp"
#include "models/recipes/merge_recipe.hpp"
#include "runs/reading/history_file.hpp"
#include "runs/reading/run_groupings.hpp"
#include "search/base/error.hpp"

namespace regroup::runs {
namespace {

using models::optional_array;
using models::optional_bool;
using models::optional_count;
using models::optional_number;
using models::optional_object;
using models::optional_string;
using models::refuse_field;
using models::required_array;
using models::required_count;
using models::required_number;
using models::required_object;
using models::required_string;
using nlohmann::json;

/// Options that say where and how a run was started, not what it computed; the data's names stand
/// beside their hashes.
constexpr std::array<std::string_view, 18> kOptionsNotShown{
    "model", "output",      "threads",   "jobs",   "device",    "json",
    "quiet", "verbose",     "force",     "resume", "verbosity", "log",
    "help",  "calibration", "selection", "eval",   "data",      "run"};

/// Only the last part of a path: the same files give the same report wherever they lie.
std::string without_folders(const std::string& text) {
  const std::size_t slash = text.find_last_of('/');
  return slash == std::string::npos ? text : text.substr(slash + 1);
}

std::string scalar_text(const json& value) {
  if (value.is_string()) return without_folders(value.get<std::string>());
  return value.dump();
}

/// Shown text of an option; an array becomes "0.5, 0.25". Throws InputError for anything nested.
std::string option_text(const std::string& name, const json& value, const std::string& where) {
  if (value.is_primitive()) return scalar_text(value);
  std::string text;
  for (const json& element : value) {
    if (value.is_object() || element.is_structured()) {
      refuse_field(where, name, "a string, number, flag or array of them",
                   models::describe_json(value));
    }
    text += (text.empty() ? "" : ", ") + scalar_text(element);
  }
  return text;
}

NamedTexts read_options(const json& options, const std::string& where) {
  NamedTexts texts;
  for (const auto& [name, value] : options.items()) {
    if (value.is_null() || std::ranges::count(kOptionsNotShown, name) > 0) continue;
    texts.emplace_back(name, option_text(name, value, where));
  }
  return texts;
}

NamedTexts read_versions(const json& run, const std::string& where) {
  NamedTexts texts;
  const json* versions = optional_object(run, "versions", where);
  if (versions == nullptr) return {{"regroup", required_string(run, "regroup", where)}};
  for (const auto& [name, value] : versions->items()) {
    if (value.is_null()) continue;
    texts.emplace_back(name, required_string(*versions, name, where + ", versions"));
  }
  return texts;
}

std::uint64_t positive(const json& object, std::string_view name, const std::string& where) {
  const std::uint64_t count = required_count(object, name, where);
  if (count == 0) refuse_field(where, name, "at least 1", "0");
  return count;
}

ModelInfo read_model(const json& model, const std::string& where) {
  return {.name = without_folders(required_string(model, "name", where)),
          .architecture = required_string(model, "architecture", where),
          .dtype = required_string(model, "dtype", where),
          .weights_sha256 = required_string(model, "weights_sha256", where),
          .layers = positive(model, "layers", where),
          .query_heads = positive(model, "query_heads", where),
          .kv_heads = positive(model, "kv_heads", where),
          .head_dim = positive(model, "head_dim", where)};
}

std::vector<DataInfo> read_data(const json& run, const std::string& where) {
  std::vector<DataInfo> all;
  const json* data = optional_object(run, "data", where);
  if (data == nullptr) return all;
  for (const char* role : {"calibration", "selection", "eval"}) {
    const json* entry = optional_object(*data, role, where + ", data");
    if (entry == nullptr) continue;
    const std::string place = fmt::format("{}, data, {}", where, role);
    all.push_back({.role = role,
                   .file = without_folders(optional_string(*entry, "file", place).value_or("")),
                   .sha256 = optional_string(*entry, "sha256", place).value_or(""),
                   .tokens = optional_count(*entry, "tokens", place),
                   .windows = optional_count(*entry, "windows", place),
                   .context = optional_count(*entry, "context", place),
                   .images = optional_count(*entry, "images", place),
                   .sampled = optional_bool(*entry, "sampled", place).value_or(false)});
  }
  return all;
}

/// A grouping's path must stay inside the run directory: the report links to it.
std::string read_grouping_path(const json& point, const std::string& where) {
  std::string text = required_string(point, "grouping", where);
  const std::filesystem::path path(text);
  const bool leaves = std::ranges::any_of(path, [](const auto& part) { return part == ".."; });
  if (text.empty() || path.is_absolute() || leaves) {
    refuse_field(where, "grouping", "a path inside the run directory", models::describe_json(text));
  }
  return text;
}

/// The array `caches` of a point or of the source; fronts of older runs have none.
std::vector<CachePoint> read_caches(const json& model, const std::string& where) {
  std::vector<CachePoint> caches;
  const json* all = optional_array(model, "caches", where);
  if (all == nullptr) return caches;
  for (std::size_t i = 0; i < all->size(); ++i) {
    const json& cache = (*all)[i];
    const std::string place = fmt::format("{}, caches[{}]", where, i);
    caches.push_back({.type = required_string(cache, "type", place),
                      .bytes_per_token = positive(cache, "bytes_per_token", place),
                      .loss = required_number(cache, "loss", place),
                      .delta_loss = required_number(cache, "delta_loss", place),
                      .kl = optional_number(cache, "kl", place)});
  }
  return caches;
}

FrontPoint read_point(const json& fields, const std::string& where) {
  FrontPoint point{.series = required_string(fields, "series", where),
                   .method = required_string(fields, "method", where),
                   .recipe = models::recipe_name(
                       optional_string(fields, "merge", where).value_or("mean"),
                       optional_bool(fields, "renorm", where).value_or(false),
                       optional_string(fields, "refit", where).value_or("none"),
                       static_cast<int>(optional_count(fields, "reconstruct", where).value_or(0))),
                   .kv_ratio = required_number(fields, "kv_ratio", where),
                   .bytes_per_token = positive(fields, "bytes_per_token", where),
                   .proxies = {},
                   .loss = optional_number(fields, "loss", where),
                   .delta_loss = optional_number(fields, "delta_loss", where),
                   .delta_loss_stderr = optional_number(fields, "delta_loss_stderr", where),
                   .delta_loss_low = optional_number(fields, "delta_loss_low", where),
                   .delta_loss_high = optional_number(fields, "delta_loss_high", where),
                   .kl = optional_number(fields, "kl", where),
                   .kl_stderr = optional_number(fields, "kl_stderr", where),
                   .accuracy = optional_number(fields, "accuracy", where),
                   .accuracy_stderr = optional_number(fields, "accuracy_stderr", where),
                   .top1_agreement = optional_number(fields, "top1_agreement", where),
                   .search_better = optional_number(fields, "search_better", where),
                   .on_front = optional_bool(fields, "on_front", where).value_or(false),
                   .grouping = read_grouping_path(fields, where),
                   .compute = optional_number(fields, "compute", where),
                   .width = optional_string(fields, "width", where),
                   .uptrained_loss = optional_number(fields, "uptrained_loss", where),
                   .layers = {},
                   .caches = read_caches(fields, where)};
  if (point.kv_ratio <= 0 || point.kv_ratio > 1) {
    refuse_field(where, "kv_ratio", "a number in (0, 1]", fmt::format("{}", point.kv_ratio));
  }
  for (const fitness::Price& proxy : proxies()) {
    point.proxies.push_back(optional_number(fields, proxy.field(), where));
  }
  return point;
}

CertificateInfo read_certificate(const json& fields, const std::string& where) {
  const std::optional<double> exact = optional_number(fields, "exact_hypervolume", where);
  return {.hypervolume = required_number(fields, "hypervolume", where),
          .best = exact ? *exact : required_number(fields, "hypervolume_bound", where),
          .is_exact = exact.has_value(),
          .worst_gap = required_number(fields, "worst_gap", where)};
}

void read_front(RunData& run) {
  const std::filesystem::path file = run.directory / "front.json";
  const std::string where = file.string();
  const json front = models::read_json_file(file);
  models::require_format(front, "regroup.front", where);
  const json& source = required_object(front, "source", where);
  const std::string source_where = where + ", source";
  run.source_bytes_per_token = positive(source, "kv_bytes_per_token", source_where);
  run.source_loss = optional_number(source, "loss", source_where);
  run.source_accuracy = optional_number(source, "accuracy", source_where);
  run.source_caches = read_caches(source, source_where);
  if (const json* certificate = optional_object(front, "certificate", where)) {
    run.certificate = read_certificate(*certificate, where + ", certificate");
  }
  const json& points = required_array(front, "points", where);
  if (points.empty()) refuse_field(where, "points", "at least one point", "none");
  for (std::size_t i = 0; i < points.size(); ++i) {
    run.points.push_back(read_point(points[i], fmt::format("{}, points[{}]", where, i)));
    FrontPoint& point = run.points.back();
    point.layers = read_grouping_layers(run.directory / point.grouping, run.model.kv_heads,
                                        run.model.query_heads);
  }
}

/// The directory's name, whatever way the path was written ("books/", "../books", ".").
std::filesystem::path real_path(const std::filesystem::path& directory) {
  std::filesystem::path path = std::filesystem::weakly_canonical(directory);
  return path.has_filename() ? path : path.parent_path();
}

}  // namespace

const std::vector<fitness::Price>& proxies() {
  static const std::vector<fitness::Price> kAll = fitness::all_prices();
  return kAll;
}

RunData load_run(const std::filesystem::path& directory) {
  return load_run(directory, models::read_json_file(directory / "run.json"));
}

RunData load_run(const std::filesystem::path& directory, const json& record) {
  const std::string where = (directory / "run.json").string();
  models::require_format(record, "regroup.run", where);
  RunData run;
  run.directory = directory;
  run.seed = required_count(record, "seed", where);
  run.model = read_model(required_object(record, "model", where), where + ", model");
  run.data = read_data(record, where);
  run.options = read_options(required_object(record, "options", where), where + ", options");
  run.versions = read_versions(record, where);
  read_front(run);
  if (std::filesystem::exists(directory / "history.csv")) {
    run.history = read_history(directory / "history.csv");
  }
  return run;
}

bool is_measured(const RunData& run) {
  return std::ranges::any_of(run.points, [](const FrontPoint& p) { return p.loss.has_value(); });
}

std::vector<std::string> run_labels(std::span<const RunData> runs) {
  if (runs.size() < 2) return std::vector<std::string>(runs.size());
  std::vector<std::string> labels;
  std::set<std::string> used;
  for (const RunData& run : runs) {
    const std::filesystem::path path = real_path(run.directory);
    std::string label = path.filename().string();
    if (used.contains(label)) label = (path.parent_path().filename() / label).string();
    const std::string base = label;
    for (int number = 2; used.contains(label); ++number) label = fmt::format("{} {}", base, number);
    used.insert(label);
    labels.push_back(label);
  }
  return labels;
}

std::string series_label(const std::string& run_label, const FrontPoint& point) {
  const std::string prefix = run_label.empty() ? "" : run_label + " · ";
  if (point.method.empty() || point.method == point.series) return prefix + point.series;
  return fmt::format("{}{} ({})", prefix, point.series, point.method);
}

}  // namespace regroup::runs
