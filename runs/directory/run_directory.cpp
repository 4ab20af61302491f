#include "runs/directory/run_directory.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <utility>

#include "models/files/atomic_file.hpp"
#include "models/files/json_file.hpp"
#include "runs/base/output_directory.hpp"
#include "runs/directory/kept_weights.hpp"
#include "runs/directory/state_file.hpp"
#include "search/base/error.hpp"

namespace regroup::runs {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kIdentity = "identity.json";
constexpr const char* kGroupings = "groupings.json";

void remove_if_there(const fs::path& path) {
  std::error_code error;
  fs::remove(path, error);
  if (error) {
    throw WorkError(
        {.what = "cannot remove a file", .where = path.string(), .found = error.message()});
  }
}

/// Removes a directory unless it holds files, which are then none of ours.
void remove_if_empty(const fs::path& directory) {
  std::error_code ignored;
  if (fs::is_empty(directory, ignored) && !ignored) fs::remove(directory, ignored);
}

/// The list of grouping files that an earlier run announced; none if that cannot be read.
std::vector<std::string> announced_groupings(const fs::path& list) {
  try {
    return models::read_json_file(list).get<std::vector<std::string>>();
  } catch (const Error&) {
    return {};
  } catch (const json::exception&) {
    return {};
  }
}

bool is_measurement(const fs::path& file) {
  const std::string name = file.stem().string();
  return file.extension() == ".json" &&
         (name == "source" || name.find_first_not_of("0123456789abcdef") == std::string::npos);
}

/// Removes those files of a directory that a run wrote, and the directory if nothing else is there.
void remove_files(const fs::path& directory, bool (*is_ours)(const fs::path&)) {
  std::error_code absent;
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, absent)) {
    if (is_ours(entry.path())) files.push_back(entry.path());
  }
  for (const fs::path& file : files) remove_if_there(file);
  remove_if_empty(directory);
}

/// The file of a measurement inside the run directory.
fs::path measured(const std::string& key) {
  return fs::path("state") / "measured" / (key + ".json");
}

/// A JSON file, or nothing if it is not there or broken.
std::optional<json> read_if_whole(const fs::path& file) {
  if (!fs::exists(file)) return std::nullopt;
  try {
    return models::read_json_file(file);
  } catch (const Error&) {
    return std::nullopt;
  }
}

/// One finite number for every window, or nothing.
std::optional<std::vector<double>> window_values(const json& value, std::size_t windows) {
  if (!value.is_array() || value.size() != windows) return std::nullopt;
  const bool whole = std::ranges::all_of(value, [](const json& number) {
    return number.is_number() && std::isfinite(number.get<double>());
  });
  return whole ? std::optional(value.get<std::vector<double>>()) : std::nullopt;
}

/// How the scores of the windows are called in a file.
constexpr std::array<std::pair<const char*, double models::WindowScore::*>, 4> kScoreFields{
    {{"loss", &models::WindowScore::loss},
     {"kl", &models::WindowScore::divergence},
     {"top1_agreement", &models::WindowScore::agreement},
     {"accuracy", &models::WindowScore::accuracy}}};

}  // namespace

const RunFiles& search_files() {
  static const RunFiles files{"run.json",
                              {"front.json", "front.csv", "caches.csv", "history.csv", "proof.csv",
                               "report.html", "report.svg", "calibration.safetensors"},
                              {"groupings"}};
  return files;
}

const RunFiles& training_files() {
  static const RunFiles files{"train.json",
                              {"train.csv", "report.html", "grouping.json", "model/config.json",
                               "state/merged.safetensors", "state/training.safetensors"},
                              {}};
  return files;
}

RunDirectory::RunDirectory(fs::path directory, Existing existing, nlohmann::ordered_json identity,
                           const RunFiles& files)
    : directory_(std::move(directory)),
      existing_(existing),
      identity_(std::move(identity)),
      files_(files),
      continues_(false) {
  const auto accept =
      existing == Existing::kRefuse ? ExistingFiles::kRefuse : ExistingFiles::kAccept;
  require_usable_directory(directory_, accept, "--force or --resume");
  continues_ = existing == Existing::kResume && fs::exists(state(kIdentity));
  if (continues_) require_same_identity();
}

bool RunDirectory::is_finished() const {
  return continues_ && fs::exists(directory_ / files_.last);
}

void RunDirectory::require_same_identity() const {
  const json before = models::read_json_file(state(kIdentity)).flatten();
  const json now = json(identity_).flatten();
  const auto value = [](const json& flat, const std::string& key) {
    return flat.contains(key) ? flat[key].dump() : std::string("nothing");
  };
  json keys = before;
  keys.update(now);
  for (const auto& [key, unused] : keys.items()) {
    if (value(before, key) == value(now, key)) continue;
    throw InputError({.what = "the run in this directory is another one",
                      .where = fmt::format("{}, {}", directory_.string(), key.substr(1)),
                      .expected = value(before, key),
                      .found = value(now, key)});
  }
}

void RunDirectory::remove_earlier_run() const {
  // Without an identity no run has been here, and whatever there is belongs to someone else.
  if (!fs::exists(state(kIdentity))) return;
  remove_if_there(directory_ / files_.last);
  for (const std::string& name : announced_groupings(state(kGroupings))) {
    // Only a plain name can be one that a run wrote.
    if (!fs::path(name).has_parent_path()) remove_if_there(directory_ / "groupings" / name);
  }
  for (const std::string_view name : files_.others) remove_if_there(directory_ / name);
  remove_files(directory_ / kWeightsFolder, is_kept_weights);
  remove_files(state("measured"), is_measurement);
  for (const fs::path& file : state_files(state_folder())) remove_if_there(file);
  remove_if_there(state(kGroupings));
  remove_if_there(state(kIdentity));
}

/// The system takes the lock back however the process ends. Where a file system knows no locks the
/// run works without.
void RunDirectory::lock_state() {
  models::FileDescriptor folder(open(state_folder().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (flock(folder.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    throw InputError({.what = "another process is at work in this directory",
                      .where = directory_.string(),
                      .expected = "one run at a time, or another directory"});
  }
  lock_ = std::move(folder);
}

void RunDirectory::begin() {
  OutputAttempt attempt(directory_);
  make_directory(state_folder());
  lock_state();
  if (existing_ == Existing::kReplace) remove_earlier_run();
  make_directory(directory_ / "state" / "measured");
  for (const std::string_view name : files_.folders) make_directory(directory_ / name);
  models::remove_stale_partials(directory_ / "state");
  write(fs::path("state") / kIdentity, models::json_text(identity_, 2) + "\n");
  attempt.keep();
}

void RunDirectory::announce_groupings(const std::vector<std::string>& names) const {
  write(fs::path("state") / kGroupings, models::json_text(names) + "\n");
}

void RunDirectory::write(const fs::path& name, std::string_view text) const {
  models::write_file_atomically(directory_ / name, text, directory_ / "state");
}

std::optional<std::vector<double>> RunDirectory::recall(const std::string& key,
                                                        std::size_t windows) const {
  const std::optional<json> kept = read_if_whole(directory_ / measured(key));
  return kept ? window_values(*kept, windows) : std::nullopt;
}

void RunDirectory::remember(const std::string& key, const std::vector<double>& losses) const {
  write(measured(key), json(losses).dump() + "\n");
}

std::optional<std::vector<models::WindowScore>> RunDirectory::recall_scores(
    const std::string& key, std::size_t windows) const {
  const std::optional<json> kept = read_if_whole(directory_ / measured(key));
  if (!kept || !kept->is_object()) return std::nullopt;
  std::vector<models::WindowScore> scores(windows);
  for (const auto& [name, field] : kScoreFields) {
    const auto values = window_values(kept->value(name, json()), windows);
    if (!values) return std::nullopt;
    for (std::size_t w = 0; w < windows; ++w) scores[w].*field = (*values)[w];
  }
  return scores;
}

void RunDirectory::remember_scores(const std::string& key,
                                   const std::vector<models::WindowScore>& scores) const {
  nlohmann::ordered_json kept;
  for (const auto& [name, field] : kScoreFields) kept[name] = models::values_of(scores, field);
  write(measured(key), kept.dump() + "\n");
}

}  // namespace regroup::runs
