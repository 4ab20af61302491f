#pragma once

#include "apps/command.hpp"
#include "apps/grouping_source.hpp"
#include "apps/shared_options.hpp"
#include "runs/training/uptrain_request.hpp"

namespace regroup::apps {

/// `regroup uptrain`: trains a model with merged heads.
class UptrainCommand : public Command {
 public:
  CLI::App* declare(CLI::App& program) override;
  void run(const Session& session) override;
  Verbosity verbosity() const override { return verbosity_.verbosity(); }

 private:
  runs::UptrainRequest request_;
  GroupingSource grouping_;
  std::string calibration_;
  bool json_ = false;
  ThreadOptions threads_;
  ComputeChoice compute_;
  VerbosityOptions verbosity_;
};

}  // namespace regroup::apps
