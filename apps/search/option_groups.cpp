#include "apps/search/option_groups.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace regroup::apps {
namespace {

struct OptionGroup {
  const char* heading;
  std::vector<std::string> options;  ///< by their long names
};

/// Headings in the order of the help.
const std::vector<OptionGroup>& groups() {
  static const std::vector<OptionGroup> groups = {
      {"What most people need",
       {"help", "output", "kv", "cache-budget", "calibration", "eval", "width", "measure", "resume",
        "threads"}},
      {"What to find",
       {"method", "fitness", "merge", "renorm", "refit", "reconstruct", "partitions", "layout",
        "objectives", "seed-grouping"}},
      {"Sizes",
       {"min-groups", "group-limit", "freeze-layers", "max-compute", "allocation", "context",
        "batch"}},
      {"Data", {"selection", "eval-tokens", "join", "uptrain-data"}},
      {"Measuring", {"cache-dtype", "uptrain", "keep-weights"}},
      {"Effort",
       {"population", "generations", "evaluations", "patience", "seconds", "stage-two", "distance",
        "iterations", "accept", "reset", "dgqa", "nodes"}},
      {"Running",
       {"seed", "force", "device", "device-memory", "scratch", "dtype", "json", "quiet",
        "verbose"}}};
  return groups;
}

std::string heading_of(const CLI::Option& option) {
  for (const OptionGroup& group : groups()) {
    if (std::ranges::find(group.options, option.get_lnames().front()) != group.options.end()) {
      return group.heading;
    }
  }
  return kOtherOptions;
}

}  // namespace

void group_search_options(CLI::App& command) {
  for (CLI::Option* option : command.get_options()) {
    if (!option->get_positional()) option->group(heading_of(*option));
  }
}

}  // namespace regroup::apps
