#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apps/command.hpp"
#include "apps/generation_result.hpp"
#include "apps/grouping_option.hpp"
#include "apps/shared_options.hpp"
#include "models/language_model/generation.hpp"
#include "models/text/tokenizer.hpp"

namespace regroup::apps {

/// `regroup generate`: text that a model, or a model with a grouping, writes after a prompt.
class GenerateCommand : public Command {
 public:
  CLI::App* declare(CLI::App& program) override;
  void run(const Session& session) override;
  Verbosity verbosity() const override { return verbosity_.verbosity(); }

 private:
  /// What came of it.
  struct Written {
    std::vector<std::int32_t> prompt;
    models::Generation generation = {};
    std::string text = {};
  };

  void require_valid_options() const;
  std::string prompt_text() const;
  /// The prompt's ids: of the text itself, or of a conversation that it begins.
  std::vector<std::int32_t> prompt_ids(const models::Tokenizer& tokenizer,
                                       const models::ModelConfig& config) const;
  /// The text on stdout as it comes, unless JSON is asked for.
  GenerationClock write(const models::LanguageModel& model, const models::Tokenizer& tokenizer,
                        const models::GenerationOptions& options, const Session& session,
                        Written& written) const;
  nlohmann::ordered_json result(const Written& written, const GenerationFigures& figures) const;
  models::GenerationOptions options(const models::PretrainedModel& model) const;

  std::string model_;
  GroupingOption grouping_;
  std::string prompt_;
  std::string prompt_file_;
  std::int64_t max_tokens_ = 64;
  models::SamplingOptions sampling_;
  std::int64_t seed_ = 1;
  bool ignore_eos_ = false;
  bool json_ = false;
  bool chat_ = false;
  std::string system_;
  CLI::Option* prompt_option_ = nullptr;
  CLI::Option* prompt_file_option_ = nullptr;
  CLI::Option* system_option_ = nullptr;
  ThreadOptions threads_;
  ComputeChoice compute_;
  VerbosityOptions verbosity_;
};

}  // namespace regroup::apps
