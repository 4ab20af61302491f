#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "apps/command.hpp"
#include "apps/shared_options.hpp"

namespace regroup::apps {

/// `regroup report`: one page and one chart for one run or several.
class ReportCommand : public Command {
 public:
  CLI::App* declare(CLI::App& program) override;
  void run(const Session& session) override;
  Verbosity verbosity() const override { return verbosity_.verbosity(); }

 private:
  std::vector<std::filesystem::path> runs_;
  std::string output_;
  VerbosityOptions verbosity_;
};

}  // namespace regroup::apps
