#pragma once

#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include "search/base/random.hpp"
#include "tests/apps/search_scene.hpp"

namespace regroup::tests {

/// A tiny model with its data, for searches that take the program's defaults.
class DefaultScene : public SearchScene {
 public:
  DefaultScene() {
    write_ids("calibration.bin", 24 * 16 + 1, 1);
    write_ids("selection.bin", 8 * 16 + 1, 2);
    write_ids("eval.bin", 12 * 16 + 1, 3);
  }

  /// A search with no say in how, but for `more`.
  std::vector<std::string> plain(const std::string& out,
                                 const std::vector<std::string>& more = {}) const {
    std::vector<std::string> all = {"search",
                                    path("tiny"),
                                    "-o",
                                    path(out),
                                    "--eval",
                                    path("eval.bin"),
                                    "--calibration",
                                    path("calibration.bin"),
                                    "-q"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  /// Token ids of the scene's model.
  void write_ids(const std::string& name, int count, std::uint64_t key) const {
    search::RandomStream random{search::RandomKey(key)};
    std::ofstream stream(path(name), std::ios::binary);
    for (int i = 0; i < count; ++i) stream.put(static_cast<char>(random.below(20))).put(0);
  }
};

}  // namespace regroup::tests
