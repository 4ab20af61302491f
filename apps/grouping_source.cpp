#include "apps/grouping_source.hpp"

#include "runs/points/run_front.hpp"
#include "search/base/error.hpp"

namespace regroup::apps {

void GroupingSource::declare(CLI::App& command) {
  CLI::Option* grouping =
      command.add_option("--grouping", grouping_, "Grouping JSON to apply")->type_name("FILE");
  CLI::Option* run =
      command.add_option("--run", run_, "Run directory to take a grouping from, with --kv")
          ->type_name("DIR")
          ->excludes(grouping);
  CLI::Option* kv = command
                        .add_option("--kv", kv_,
                                    "Largest KV size of the grouping taken from --run, as a part "
                                    "of the source's, in (0, 1]")
                        ->type_name("RATIO")
                        ->needs(run);
  run->needs(kv);
}

std::filesystem::path GroupingSource::path() const {
  if (!grouping_.empty()) return grouping_;
  if (!run_.empty()) return runs::best_grouping_of_run(run_, kv_);
  throw InputError(
      {.what = "no grouping is given", .expected = "--grouping FILE, or --run DIR --kv RATIO"});
}

}  // namespace regroup::apps
