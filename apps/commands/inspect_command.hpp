#pragma once

#include <string>

#include "apps/command.hpp"
#include "apps/shared_options.hpp"
#include "runs/base/cache_setting.hpp"

namespace regroup::apps {

/// `regroup inspect`: architecture, heads, KV bytes per token, similarity and norms of the heads of
/// every layer.
class InspectCommand : public Command {
 public:
  CLI::App* declare(CLI::App& program) override;
  void run(const Session& session) override;
  Verbosity verbosity() const override { return verbosity_.verbosity(); }

 private:
  std::string model_;
  runs::CacheSetting cache_;
  bool json_ = false;
  ThreadOptions threads_;
  VerbosityOptions verbosity_;
};

}  // namespace regroup::apps
