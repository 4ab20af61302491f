#pragma once

#include <string>

#include "apps/command.hpp"
#include "apps/grouping_option.hpp"
#include "apps/shared_options.hpp"

namespace regroup::apps {

/// `regroup eval`: measures a model, or a model with a grouping, on a task.
class EvalCommand : public Command {
 public:
  CLI::App* declare(CLI::App& program) override;
  void run(const Session& session) override;
  Verbosity verbosity() const override { return verbosity_.verbosity(); }

 private:
  std::string model_;
  GroupingOption grouping_;
  std::string task_ = "perplexity";
  std::string data_;
  std::string output_;
  int context_ = 0;
  bool json_ = false;
  ThreadOptions threads_;
  ComputeChoice compute_;
  VerbosityOptions verbosity_;
};

}  // namespace regroup::apps
