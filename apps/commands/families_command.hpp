#pragma once

#include "apps/command.hpp"
#include "apps/shared_options.hpp"

namespace regroup::apps {

/// `regroup families`: which model families are known, and what can be done with each.
class FamiliesCommand : public Command {
 public:
  CLI::App* declare(CLI::App& program) override;
  void run(const Session& session) override;
  Verbosity verbosity() const override { return verbosity_.verbosity(); }

 private:
  bool json_ = false;
  VerbosityOptions verbosity_;
};

}  // namespace regroup::apps
