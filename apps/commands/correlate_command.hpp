#pragma once

#include "apps/command.hpp"
#include "apps/shared_options.hpp"
#include "runs/correlate/correlate_options.hpp"

namespace regroup::apps {

/// `regroup correlate`: how far each proxy ranks groupings as measuring them does.
class CorrelateCommand : public Command {
 public:
  CLI::App* declare(CLI::App& program) override;
  void run(const Session& session) override;
  Verbosity verbosity() const override { return verbosity_.verbosity(); }

 private:
  runs::CorrelateOptions options_;
  ComputeChoice compute_;
  ThreadOptions threads_;
  VerbosityOptions verbosity_;
  bool json_ = false;
};

}  // namespace regroup::apps
