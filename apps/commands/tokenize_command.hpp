#pragma once

#include <string>

#include "apps/command.hpp"
#include "apps/shared_options.hpp"
#include "models/text/document_join.hpp"

namespace regroup::apps {

/// `regroup tokenize`: text to token ids, by the tokenizer's files alone.
class TokenizeCommand : public Command {
 public:
  CLI::App* declare(CLI::App& program) override;
  void run(const Session& session) override;
  Verbosity verbosity() const override { return verbosity_.verbosity(); }

 private:
  std::vector<std::int32_t> encode(const std::string& text, const std::string& where,
                                   const models::Tokenizer& tokenizer) const;

  std::string model_;
  std::string data_;
  std::string text_;
  std::string output_;
  models::DocumentJoin join_ = models::DocumentJoin::kEnd;
  bool without_special_ = false;
  bool json_ = false;
  CLI::Option* data_option_ = nullptr;
  CLI::Option* text_option_ = nullptr;
  VerbosityOptions verbosity_;
};

}  // namespace regroup::apps
