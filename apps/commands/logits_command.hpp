#pragma once

#include <string>

#include "apps/command.hpp"
#include "apps/grouping_option.hpp"
#include "apps/shared_options.hpp"

namespace regroup::apps {

/// `regroup logits`: what a model, or a model with a grouping, makes of given inputs.
class LogitsCommand : public Command {
 public:
  CLI::App* declare(CLI::App& program) override;
  void run(const Session& session) override;
  Verbosity verbosity() const override { return verbosity_.verbosity(); }

 private:
  std::string model_;
  GroupingOption grouping_;
  std::string input_;
  std::string output_;
  ThreadOptions threads_;
  ComputeChoice compute_;
  VerbosityOptions verbosity_;
};

}  // namespace regroup::apps
