#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>

namespace regroup::apps {

/// Where a command takes its grouping from: --grouping FILE, or --run DIR with --kv RATIO.
class GroupingSource {
 public:
  void declare(CLI::App& command);

  bool is_given() const { return !grouping_.empty() || !run_.empty(); }
  /// The grouping's file. Throws InputError where nothing is given, or the run has no such point.
  std::filesystem::path path() const;

 private:
  std::string grouping_;
  std::string run_;
  double kv_ = 1;
};

}  // namespace regroup::apps
