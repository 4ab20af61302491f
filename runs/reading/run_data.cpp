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

using models::JsonFields;

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
std::string option_text(const JsonFields& options, const std::string& name, const json& value) {
  if (value.is_primitive()) return scalar_text(value);
  std::string text;
  for (const json& element : value) {
    if (value.is_object() || element.is_structured()) {
      options.refuse(name.c_str(), "a string, number, flag or array of them",
                     models::describe_json(value));
    }
    text += (text.empty() ? "" : ", ") + scalar_text(element);
  }
  return text;
}

NamedTexts read_options(const JsonFields& options) {
  NamedTexts texts;
  for (const auto& [name, value] : options.value().items()) {
    if (value.is_null() || std::ranges::count(kOptionsNotShown, name) > 0) continue;
    texts.emplace_back(name, option_text(options, name, value));
  }
  return texts;
}

NamedTexts read_versions(const JsonFields& run) {
  NamedTexts texts;
  const std::optional<JsonFields> versions = run.optional_object("versions");
  if (!versions) return {{"regroup", run.text("regroup")}};
  for (const auto& [name, value] : versions->value().items()) {
    if (!value.is_null()) texts.emplace_back(name, versions->text(name.c_str()));
  }
  return texts;
}

std::uint64_t positive(const JsonFields& fields, const char* name) {
  const std::uint64_t count = fields.count(name);
  if (count == 0) fields.refuse(name, "at least 1", "0");
  return count;
}

ModelInfo read_model(const JsonFields& model) {
  return {.name = without_folders(model.text("name")),
          .architecture = model.text("architecture"),
          .dtype = model.text("dtype"),
          .weights_sha256 = model.text("weights_sha256"),
          .layers = positive(model, "layers"),
          .query_heads = positive(model, "query_heads"),
          .kv_heads = positive(model, "kv_heads"),
          .head_dim = positive(model, "head_dim")};
}

std::vector<DataInfo> read_data(const JsonFields& run) {
  std::vector<DataInfo> all;
  const std::optional<JsonFields> data = run.optional_object("data");
  if (!data) return all;
  for (const char* role : {"calibration", "selection", "eval"}) {
    const std::optional<JsonFields> entry = data->optional_object(role);
    if (!entry) continue;
    all.push_back({.role = role,
                   .file = without_folders(entry->optional_text("file").value_or("")),
                   .sha256 = entry->optional_text("sha256").value_or(""),
                   .tokens = entry->optional_count("tokens"),
                   .windows = entry->optional_count("windows"),
                   .context = entry->optional_count("context"),
                   .images = entry->optional_count("images"),
                   .sampled = entry->optional_flag("sampled").value_or(false)});
  }
  return all;
}

/// A grouping's path must stay inside the run directory: the report links to it.
std::string read_grouping_path(const JsonFields& point) {
  std::string text = point.text("grouping");
  const std::filesystem::path path(text);
  const bool leaves = std::ranges::any_of(path, [](const auto& part) { return part == ".."; });
  if (text.empty() || path.is_absolute() || leaves) {
    point.refuse("grouping", "a path inside the run directory", models::describe_json(text));
  }
  return text;
}

/// The array `caches` of a point or of the source; fronts of older runs have none.
std::vector<CachePoint> read_caches(const JsonFields& model) {
  std::vector<CachePoint> caches;
  if (model.find("caches") == nullptr) return caches;
  const json& all = model.array("caches");
  for (std::size_t i = 0; i < all.size(); ++i) {
    const JsonFields cache(all[i], fmt::format("{}, caches[{}]", model.where(), i));
    caches.push_back({.type = cache.text("type"),
                      .bytes_per_token = positive(cache, "bytes_per_token"),
                      .loss = cache.number("loss"),
                      .delta_loss = cache.number("delta_loss"),
                      .kl = cache.optional_number("kl")});
  }
  return caches;
}

FrontPoint read_point(const JsonFields& fields) {
  FrontPoint point{.series = fields.text("series"),
                   .method = fields.text("method"),
                   .recipe = models::recipe_name(
                       fields.optional_text("merge").value_or("mean"),
                       fields.optional_flag("renorm").value_or(false),
                       fields.optional_text("refit").value_or("none"),
                       static_cast<int>(fields.optional_count("reconstruct").value_or(0))),
                   .kv_ratio = fields.number("kv_ratio"),
                   .bytes_per_token = positive(fields, "bytes_per_token"),
                   .proxies = {},
                   .loss = fields.optional_number("loss"),
                   .delta_loss = fields.optional_number("delta_loss"),
                   .delta_loss_stderr = fields.optional_number("delta_loss_stderr"),
                   .delta_loss_low = fields.optional_number("delta_loss_low"),
                   .delta_loss_high = fields.optional_number("delta_loss_high"),
                   .kl = fields.optional_number("kl"),
                   .kl_stderr = fields.optional_number("kl_stderr"),
                   .accuracy = fields.optional_number("accuracy"),
                   .accuracy_stderr = fields.optional_number("accuracy_stderr"),
                   .top1_agreement = fields.optional_number("top1_agreement"),
                   .search_better = fields.optional_number("search_better"),
                   .on_front = fields.optional_flag("on_front").value_or(false),
                   .grouping = read_grouping_path(fields),
                   .layers = {},
                   .caches = read_caches(fields)};
  if (point.kv_ratio <= 0 || point.kv_ratio > 1) {
    fields.refuse("kv_ratio", "a number in (0, 1]", fmt::format("{}", point.kv_ratio));
  }
  for (const fitness::Price& proxy : proxies()) {
    point.proxies.push_back(fields.optional_number(std::string(proxy.field()).c_str()));
  }
  return point;
}

CertificateInfo read_certificate(const JsonFields& fields) {
  const std::optional<double> exact = fields.optional_number("exact_hypervolume");
  return {.hypervolume = fields.number("hypervolume"),
          .best = exact ? *exact : fields.number("hypervolume_bound"),
          .is_exact = exact.has_value(),
          .worst_gap = fields.number("worst_gap")};
}

void read_front(RunData& run) {
  const std::filesystem::path file = run.directory / "front.json";
  const json document = models::read_json_file(file);
  const JsonFields front(document, file.string());
  models::check_format(front, "regroup.front");
  const JsonFields source = front.object("source");
  run.source_bytes_per_token = positive(source, "kv_bytes_per_token");
  run.source_loss = source.optional_number("loss");
  run.source_accuracy = source.optional_number("accuracy");
  run.source_caches = read_caches(source);
  if (const auto certificate = front.optional_object("certificate")) {
    run.certificate = read_certificate(*certificate);
  }
  const json& points = front.array("points");
  if (points.empty()) front.refuse("points", "at least one point", "none");
  for (std::size_t i = 0; i < points.size(); ++i) {
    run.points.push_back(read_point({points[i], fmt::format("{}, points[{}]", file.string(), i)}));
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
  const JsonFields fields(record, (directory / "run.json").string());
  models::check_format(fields, "regroup.run");
  RunData run;
  run.directory = directory;
  run.seed = fields.count("seed");
  run.model = read_model(fields.object("model"));
  run.data = read_data(fields);
  run.options = read_options(fields.object("options"));
  run.versions = read_versions(fields);
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
