#pragma once

#include <string>

#include "apps/command.hpp"
#include "apps/shared_options.hpp"
#include "models/grouping/formats/grouping_format.hpp"

namespace regroup::apps {

/// `regroup grouping export|import`: groupings in the forms of other tools.
class GroupingCommand : public Command {
 public:
  CLI::App* declare(CLI::App& program) override;
  void run(const Session& session) override;
  Verbosity verbosity() const override { return verbosity_.verbosity(); }

 private:
  CLI::App* declare_direction(CLI::App& command, const std::string& name,
                              const std::string& description, const std::string& input,
                              const std::string& output);
  void export_grouping(const models::GroupingFormat& format, const Session& session) const;
  void import_grouping(const models::GroupingFormat& format, const Session& session) const;
  void print_summary(const models::GroupingFormat& format, const search::Grouping& grouping,
                     const Session& session) const;

  std::string input_;
  std::string format_;
  std::string model_;
  std::string merge_;
  std::string output_;
  bool json_ = false;
  CLI::App* export_ = nullptr;
  VerbosityOptions verbosity_;
};

}  // namespace regroup::apps
