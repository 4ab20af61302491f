// Fitted weights that a run keeps: `convert`, `eval` and `uptrain` take them in place of a fit, and
// get the same bytes.

#include <filesystem>
#include <fstream>

#include "models/merge/operators/merge_table.hpp"
#include "runs/points/keep_fitted.hpp"
#include "tests/apps/default_scene.hpp"
#include "tests/apps/program.hpp"
#include "tests/support/catch.hpp"

using namespace regroup;
using namespace regroup::tests;

namespace {

namespace fs = std::filesystem;

/// A finished run of the default search with one point of its own.
struct KeptScene : DefaultScene {
  explicit KeptScene(const std::vector<std::string>& more = {}) {
    std::vector<std::string> all = {"--kv", "0.5"};
    all.insert(all.end(), more.begin(), more.end());
    REQUIRE(run_regroup(plain("run", all)).exit_status == 0);
  }

  fs::path weights() const { return path("run/weights"); }
  std::vector<fs::path> files() const {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(weights())) found.push_back(entry.path());
    return found;
  }
  /// What `convert` makes of the run's point.
  std::string converted(const std::string& out, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> all = {"convert", path("tiny"), "--run",   path("run"), "--kv",
                                    "0.5",     "-o",         path(out), "-q"};
    all.insert(all.end(), more.begin(), more.end());
    REQUIRE(run_regroup(all).exit_status == 0);
    return read_file(path(out + "/model.safetensors"));
  }
};

}  // namespace

TEST_CASE("kept weights make the bytes that fitting anew makes, without a calibration") {
  const KeptScene scene;
  REQUIRE(scene.files().size() == 1);
  fs::rename(scene.path("run/calibration.safetensors"), scene.path("elsewhere"));
  const std::string kept = scene.converted("kept");
  fs::rename(scene.path("elsewhere"), scene.path("run/calibration.safetensors"));
  fs::remove_all(scene.weights());
  CHECK(scene.converted("anew") == kept);
}

TEST_CASE("kept weights are not taken for another calibration or another model") {
  const KeptScene scene;
  const std::string kept = scene.converted("kept");
  CHECK(scene.converted("other", {"--calibration", scene.path("selection.bin")}) != kept);
  // The grouping is said to be of statistics that the weights were not fitted on.
  const fs::path grouping = scene.path("run/groupings/search-exact-kv0.5000.json");
  REQUIRE(fs::exists(grouping));
  nlohmann::json file = nlohmann::json::parse(read_file(grouping));
  file["calibration"]["sha256"] = std::string(64, '0');
  std::ofstream(grouping) << file;
  const auto refused = run_regroup({"convert", scene.path("tiny"), "--grouping", grouping.string(),
                                    "-o", scene.path("refused")});
  CHECK(refused.exit_status == 2);
  CHECK_THAT(refused.error, contains("calibration is not the one"));
}

TEST_CASE("a broken file of kept weights is refused by name") {
  const KeptScene scene;
  const fs::path file = scene.files().front();
  fs::resize_file(file, fs::file_size(file) - 8);
  const auto refused =
      run_regroup({"eval", scene.path("tiny"), "--data", scene.path("eval.bin"), "--grouping",
                   scene.path("run/groupings/search-exact-kv0.5000.json")});
  CHECK(refused.exit_status == 2);
  CHECK_THAT(refused.error, contains(file.filename().string()));
}

TEST_CASE("a run keeps no weights where it is told so, and a later one removes them") {
  const KeptScene scene;
  REQUIRE(fs::exists(scene.weights()));
  std::ofstream(scene.weights() / "notes.txt") << "mine";
  REQUIRE(run_regroup(scene.plain("run", {"--kv", "0.5", "--keep-weights=false", "--force"}))
              .exit_status == 0);
  CHECK(scene.files() == std::vector<fs::path>{scene.weights() / "notes.txt"});
}

TEST_CASE("weights are kept by themselves where all of them are small") {
  const TinyLlama small;
  const TemporaryDirectory scratch;
  small.write(scratch.path() / "model");
  const auto model = models::open_model(scratch.path() / "model");
  runs::RunPoint point;
  point.series = "search";
  point.recipe = models::MergeRecipe(models::find_merge("optimal"), false, models::Refit::kBoth);
  point.point.grouping = search::Grouping::uniform(
      model.config.layers, search::Partition::one_group(model.config.kv_heads));
  runs::RunPoint baseline = point;
  baseline.series = "neighbour";
  const double one = runs::kept_bytes(model);
  const auto many = static_cast<std::size_t>(runs::kMostKeptBytes / one) + 1;
  const auto plan = [&](std::size_t count, std::optional<bool> wanted) {
    runs::KeptWeights kept(scratch.path(), model, "hash");
    std::vector<runs::RunPoint> points(count, point);
    points.push_back(baseline);
    return runs::keep_fitted(points, kept, model, wanted);
  };
  CHECK(plan(3, {}).keeps);
  CHECK(plan(3, {}).bytes == 3 * one);
  CHECK_FALSE(plan(3, false).keeps);
  CHECK_FALSE(plan(many, {}).keeps);
  CHECK(plan(many, true).keeps);
}
