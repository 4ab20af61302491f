#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "apps/command.hpp"
#include "apps/grouping_option.hpp"
#include "apps/shared_options.hpp"
#include "fitness/tasks/task.hpp"
#include "models/pretrained/cache_type.hpp"

namespace regroup::apps {

/// `regroup eval`: measures a model, or a model with a grouping, on a task.
class EvalCommand : public Command {
 public:
  CLI::App* declare(CLI::App& program) override;
  void run(const Session& session) override;
  Verbosity verbosity() const override { return verbosity_.verbosity(); }

 private:
  /// The task asked for; throws InputError where it cannot be done with what was given.
  const fitness::Task& task() const;
  /// What the result says of how it was computed.
  nlohmann::ordered_json config(const models::PretrainedModel& model, int threads) const;

  models::CacheType cache_type() const;

  std::string model_;
  GroupingOption grouping_;
  std::string task_ = "perplexity";
  std::string data_;
  std::string output_;
  std::string samples_;  // empty: not written
  int context_ = 0;
  std::int64_t limit_ = 0;
  models::DocumentJoin join_ = models::DocumentJoin::kEnd;
  std::string cache_dtype_;  // empty: the type of the computation
  bool json_ = false;
  ThreadOptions threads_;
  ComputeChoice compute_;
  std::string scratch_;
  VerbosityOptions verbosity_;
};

}  // namespace regroup::apps
