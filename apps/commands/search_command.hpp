#pragma once

#include "apps/command.hpp"
#include "apps/shared_options.hpp"
#include "runs/plan/search_request.hpp"

namespace regroup::apps {

/// `regroup search`: finds groupings for every KV size, measures them and writes a run directory.
class SearchCommand : public Command {
 public:
  CLI::App* declare(CLI::App& program) override;
  void run(const Session& session) override;
  Verbosity verbosity() const override { return verbosity_.verbosity(); }
  bool has_helpers() const override { return true; }

 private:
  runs::SearchRequest request_;
  ComputeChoice compute_;
  ThreadOptions threads_;
  VerbosityOptions verbosity_;
  CLI::Option* keep_option_ = nullptr;
  bool keeps_weights_ = true;
  bool json_ = false;
};

}  // namespace regroup::apps
