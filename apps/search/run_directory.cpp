#include "apps/search/run_directory.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "apps/output_directory.hpp"
#include "models/files/atomic_file.hpp"
#include "models/files/json_file.hpp"
#include "search/error.hpp"

namespace regroup::apps {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kIdentity = "identity.json";

void remove_if_there(const fs::path& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (error) {
    throw WorkError(
        {.what = "cannot remove a file", .where = path.string(), .found = error.message()});
  }
}

/// The grouping files that an earlier run's front lists; none if that cannot be read.
std::vector<fs::path> listed_groupings(const fs::path& directory) {
  std::vector<fs::path> files;
  try {
    const json front = models::read_json_file(directory / "front.json");
    for (const json& point : front.at("points")) {
      const fs::path file = point.at("grouping").get<std::string>();
      // Only a plain name inside groupings/ can be one that a run wrote.
      if (file.parent_path() == "groupings") files.push_back(directory / file);
    }
  } catch (const Error&) {
  } catch (const json::exception&) {
  }
  return files;
}

}  // namespace

RunDirectory::RunDirectory(fs::path directory, Existing existing, nlohmann::ordered_json identity)
    : directory_(std::move(directory)), existing_(existing), identity_(std::move(identity)) {
  const auto accept =
      existing == Existing::kRefuse ? ExistingFiles::kRefuse : ExistingFiles::kAccept;
  require_usable_directory(directory_, accept, "--force or --resume");
  if (existing == Existing::kResume && fs::exists(state(kIdentity))) require_same_identity();
}

bool RunDirectory::is_finished() const {
  return existing_ == Existing::kResume && fs::exists(state(kIdentity)) &&
         fs::exists(directory_ / "run.json");
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

void RunDirectory::remove_written_files() const {
  for (const fs::path& file : listed_groupings(directory_)) remove_if_there(file);
  constexpr std::array kWritten = {"run.json",
                                   "front.json",
                                   "front.csv",
                                   "history.csv",
                                   "report.html",
                                   "report.svg",
                                   "calibration.safetensors",
                                   "state"};
  for (const char* name : kWritten) remove_if_there(directory_ / name);
}

void RunDirectory::begin() {
  make_directory(directory_);
  // A directory without a state starts anew.
  if (existing_ != Existing::kResume || !fs::exists(state(kIdentity))) remove_written_files();
  make_directory(directory_ / "state" / "measured");
  make_directory(directory_ / "groupings");
  models::remove_stale_partials(directory_ / "state");
  write(fs::path("state") / kIdentity, identity_.dump(2) + "\n");
}

void RunDirectory::write(const fs::path& name, std::string_view text) const {
  models::write_file_atomically(directory_ / name, text, directory_ / "state");
}

std::optional<std::vector<double>> RunDirectory::recall(const std::string& key) const {
  const fs::path file = state("measured") / (key + ".json");
  if (!fs::exists(file)) return std::nullopt;
  try {
    return models::read_json_file(file).get<std::vector<double>>();
  } catch (const Error&) {
    return std::nullopt;
  } catch (const json::exception&) {
    return std::nullopt;
  }
}

void RunDirectory::remember(const std::string& key, const std::vector<double>& losses) const {
  write(fs::path("state") / "measured" / (key + ".json"), json(losses).dump() + "\n");
}

}  // namespace regroup::apps
