#pragma once

#include <string>

#include "apps/command.hpp"
#include "apps/shared_options.hpp"
#include "models/text/document_join.hpp"

namespace regroup::apps {

/// `regroup calibrate`: what merges and prices need to know of a model's activations on some text,
/// written to one file.
class CalibrateCommand : public Command {
 public:
  CLI::App* declare(CLI::App& program) override;
  void run(const Session& session) override;
  Verbosity verbosity() const override { return verbosity_.verbosity(); }

 private:
  std::string model_;
  std::string data_;
  std::string output_;
  std::int64_t tokens_ = 0;
  models::DocumentJoin join_ = models::DocumentJoin::kEnd;
  std::int64_t seed_ = 1;
  bool without_gradients_ = false;
  bool force_ = false;
  bool json_ = false;
  ComputeChoice compute_;
  std::string scratch_;
  ThreadOptions threads_;
  VerbosityOptions verbosity_;
};

}  // namespace regroup::apps
