#pragma once

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "tests/fixtures/tiny_llama.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

namespace regroup::tests {

/// The arguments with these values for the options that they leave open.
inline std::vector<std::string> with_defaults(
    std::vector<std::string> arguments,
    const std::vector<std::pair<std::string, std::string>>& defaults) {
  for (const auto& [option, value] : defaults) {
    if (std::ranges::find(arguments, option) != arguments.end()) continue;
    arguments.insert(arguments.end(), {option, value});
  }
  return arguments;
}

/// The arguments with the recipe of QCQA's paper for what they leave open: quick, no calibration.
inline std::vector<std::string> with_paper_recipe(std::vector<std::string> arguments) {
  return with_defaults(std::move(arguments),
                       {{"--method", "qcqa"}, {"--fitness", "wse"}, {"--merge", "mean"}});
}

/// A tiny model in a folder of its own, and quick searches of it.
class SearchScene {
 public:
  explicit SearchScene(const TinyLlama& model = {}) { model.write(scratch_.path() / "tiny"); }

  std::string path(const std::string& name) const { return (scratch_.path() / name).string(); }
  std::vector<std::string> search(const std::string& out,
                                  const std::vector<std::string>& more = {}) const {
    return budgeted(out, 10, 5, more);
  }
  /// The same with a population and a number of generations of one's own.
  std::vector<std::string> budgeted(const std::string& out, int population, int generations,
                                    const std::vector<std::string>& more = {}) const {
    std::vector<std::string> all = {"search",
                                    path("tiny"),
                                    "-o",
                                    path(out),
                                    "--population",
                                    std::to_string(population),
                                    "--generations",
                                    std::to_string(generations),
                                    "-q"};
    all.insert(all.end(), more.begin(), more.end());
    return with_paper_recipe(all);
  }
  /// front.json of a run, which has points: what is checked of each of them is checked.
  nlohmann::json front(const std::string& out) const {
    nlohmann::json front = nlohmann::json::parse(read_file(path(out + "/front.json")));
    REQUIRE_FALSE(front.at("points").empty());
    return front;
  }

 private:
  TemporaryDirectory scratch_;
};

}  // namespace regroup::tests
