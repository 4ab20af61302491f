#pragma once

#include <string>

#include "apps/command.hpp"
#include "apps/grouping_source.hpp"
#include "apps/shared_options.hpp"
#include "models/convert/convert.hpp"
#include "models/grouping/grouping_file.hpp"

namespace regroup::models {
class WeightOverlay;
}

namespace regroup::apps {

/// `regroup convert`: writes the checkpoint with its KV heads merged.
class ConvertCommand : public Command {
 public:
  CLI::App* declare(CLI::App& program) override;
  void run(const Session& session) override;
  Verbosity verbosity() const override { return verbosity_.verbosity(); }

 private:
  struct ConvertInputs;

  /// What --max-shard-size and --dtype say of a directory.
  models::ConvertOptions directory_options() const;
  /// In which the cache is counted: the type of a directory's weights; the engine of a GGUF file
  /// chooses its own, so that there it is the source's.
  models::DType cache_dtype(const models::PretrainedModel& source) const;
  /// Throws InputError for options that do not go with each other, before anything is opened.
  void require_valid_options() const;
  void write_directory(const ConvertInputs& inputs, const Session& session) const;
  void write_gguf(const ConvertInputs& inputs, const Session& session) const;
  /// The merged layers, turned where that is asked for.
  std::shared_ptr<const models::WeightOverlay> merged_layers(
      const std::shared_ptr<const models::PretrainedModel>& model,
      const models::GroupingFile& grouping, const std::filesystem::path& file,
      const Session& session) const;
  std::shared_ptr<const models::WeightOverlay> plain_layers(
      const std::shared_ptr<const models::PretrainedModel>& model,
      const models::GroupingFile& grouping, const std::filesystem::path& file,
      const Session& session) const;
  /// Says what was written.
  void report(const ConvertInputs& inputs, const Session& session) const;

  std::string model_;
  GroupingSource grouping_;
  std::string output_;
  std::string calibration_;
  std::string scratch_;
  std::string layout_;
  std::string format_ = "hf";
  std::string dtype_;
  std::string max_shard_size_ = "5GB";
  CLI::Option* shard_option_ = nullptr;
  bool no_tokenizer_ = false;
  bool rotates_cache_ = false;
  int context_ = 0;
  CLI::Option* context_option_ = nullptr;
  bool force_ = false;
  bool json_ = false;
  ThreadOptions threads_;
  VerbosityOptions verbosity_;
};

}  // namespace regroup::apps
