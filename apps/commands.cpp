#include "apps/command.hpp"
#include "apps/commands/calibrate_command.hpp"
#include "apps/commands/convert_command.hpp"
#include "apps/commands/correlate_command.hpp"
#include "apps/commands/eval_command.hpp"
#include "apps/commands/families_command.hpp"
#include "apps/commands/generate_command.hpp"
#include "apps/commands/grouping_command.hpp"
#include "apps/commands/inspect_command.hpp"
#include "apps/commands/logits_command.hpp"
#include "apps/commands/report_command.hpp"
#include "apps/commands/search_command.hpp"
#include "apps/commands/shell_commands.hpp"
#include "apps/commands/tokenize_command.hpp"
#include "apps/commands/training_commands.hpp"

namespace regroup::apps {

std::vector<std::unique_ptr<Command>> all_commands() {
  std::vector<std::unique_ptr<Command>> commands;
  commands.push_back(std::make_unique<InspectCommand>());
  commands.push_back(std::make_unique<FamiliesCommand>());
  commands.push_back(std::make_unique<SearchCommand>());
  commands.push_back(std::make_unique<CalibrateCommand>());
  commands.push_back(std::make_unique<CorrelateCommand>());
  commands.push_back(std::make_unique<EvalCommand>());
  commands.push_back(std::make_unique<ConvertCommand>());
  commands.push_back(std::make_unique<UptrainCommand>());
  commands.push_back(std::make_unique<TrainCommand>());
  commands.push_back(std::make_unique<GroupingCommand>());
  commands.push_back(std::make_unique<ReportCommand>());
  commands.push_back(std::make_unique<GenerateCommand>());
  commands.push_back(std::make_unique<LogitsCommand>());
  commands.push_back(std::make_unique<TokenizeCommand>());
  commands.push_back(std::make_unique<CompletionCommand>());
  commands.push_back(std::make_unique<ManualCommand>());
  return commands;
}

}  // namespace regroup::apps
