#pragma once

#include <string>

#include "apps/command.hpp"

namespace regroup::apps {

/// `regroup completion`: the script with which a shell completes commands and options.
class CompletionCommand : public Command {
 public:
  CLI::App* declare(CLI::App& program) override;
  void run(const Session& session) override;
  Verbosity verbosity() const override { return Verbosity::kNormal; }

 private:
  CLI::App* program_ = nullptr;
  std::string shell_;
};

/// `regroup manual`: the program's pages for man(1).
class ManualCommand : public Command {
 public:
  CLI::App* declare(CLI::App& program) override;
  void run(const Session& session) override;
  Verbosity verbosity() const override { return Verbosity::kNormal; }

 private:
  CLI::App* program_ = nullptr;
  std::string command_;
  std::string output_;
};

}  // namespace regroup::apps
