#pragma once

#include <string>
#include <vector>

#include "apps/command.hpp"
#include "apps/grouping_source.hpp"
#include "apps/shared_options.hpp"
#include "runs/training/uptrain_request.hpp"

namespace regroup::apps {

/// What commands that train have in common.
class TrainingCommand : public Command {
 public:
  void run(const Session& session) override;
  Verbosity verbosity() const override { return verbosity_.verbosity(); }

 protected:
  /// Declares what to train on, `options`, and where to write.
  void declare_training(CLI::App& command, const std::vector<search::Option>& options);
  /// Completes the request from what was given.
  virtual void complete() = 0;

  runs::UptrainRequest request_;

 private:
  bool json_ = false;
  ThreadOptions threads_;
  ComputeChoice compute_;
  VerbosityOptions verbosity_;
};

/// `regroup uptrain`: trains a model with merged heads.
class UptrainCommand final : public TrainingCommand {
 public:
  CLI::App* declare(CLI::App& program) override;

 protected:
  void complete() override;

 private:
  GroupingSource grouping_;
  std::string calibration_;
};

/// `regroup train`: trains a model that begins from nothing.
class TrainCommand final : public TrainingCommand {
 public:
  CLI::App* declare(CLI::App& program) override;

 protected:
  void complete() override;
};

}  // namespace regroup::apps
