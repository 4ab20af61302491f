#include "apps/commands/convert_command.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "apps/convert/gguf_output.hpp"
#include "apps/convert/model_card.hpp"
#include "apps/grouping_option.hpp"
#include "models/checkpoint/gguf/gguf_header.hpp"
#include "models/convert/convert.hpp"
#include "models/elements/dtype.hpp"
#include "models/files/json_file.hpp"
#include "models/grouping/grouping_file.hpp"
#include "models/language_model/merger.hpp"
#include "models/overlay/rotated_cache.hpp"
#include "models/text/gguf_tokenizer_files.hpp"
#include "runs/base/output_directory.hpp"
#include "runs/inputs/grouped_layers.hpp"
#include "runs/inputs/open_model.hpp"
#include "runs/inputs/spared_memory.hpp"
#include "search/base/error.hpp"

namespace regroup::apps {
namespace {

constexpr const char* kDirectory = "hf";
constexpr const char* kGguf = "gguf";
/// Shares of a cache that differ by less are the same.
constexpr double kSameSize = 1e-9;

/// Converting a checkpoint onto itself would destroy it.
void require_other_place(const std::filesystem::path& output, const std::filesystem::path& model) {
  std::error_code absent;
  if (!std::filesystem::equivalent(output, model, absent)) return;
  throw InputError({.what = "output is the model's own",
                    .where = "--output",
                    .expected = "another name",
                    .found = output.string()});
}

/// The tokenizer's files of a directory that is made of a GGUF file.
std::map<std::string, std::string> files_of_gguf(const models::PretrainedModel& model) {
  const std::filesystem::path& file = model.checkpoint.directory();
  return models::file_contents(
      models::gguf_tokenizer_files(models::read_gguf_metadata(file), file.string()));
}

void require_known_format(const std::string& format) {
  if (format == kDirectory || format == kGguf) return;
  throw InputError({.what = "format is not known",
                    .where = "--format",
                    .expected = "hf or gguf",
                    .found = format});
}

void refuse_option(bool is_given, const char* option, const char* format) {
  if (!is_given) return;
  throw InputError({.what = "option does not go with the format",
                    .where = option,
                    .expected = "another --format, or none of it",
                    .found = std::string("--format ") + format});
}

}  // namespace

/// What a conversion is made of.
struct ConvertCommand::ConvertInputs {
  std::shared_ptr<const models::PretrainedModel> model;
  const models::GroupingFile& grouping;
  const std::filesystem::path& file;  ///< of the grouping
  models::Layout layout;
};

CLI::App* ConvertCommand::declare(CLI::App& program) {
  CLI::App* command =
      program.add_subcommand("convert", "Write the checkpoint with its KV heads merged");
  command->add_option("MODEL", model_, "Hugging Face directory or GGUF file")->required();
  grouping_.declare(*command);
  command
      ->add_option("-o,--output", output_,
                   "Directory to write, or with --format gguf the file: FILE.gguf")
      ->required()
      ->type_name("PATH");
  command
      ->add_option(
          "--format", format_,
          "hf: a Hugging Face directory; gguf: one file for llama.cpp, of a Llama, Mistral, "
          "Qwen2 or Qwen3")
      ->capture_default_str()
      ->type_name("FORMAT");
  declare_calibration(*command, calibration_);
  declare_rotation(*command, rotates_cache_);
  command
      ->add_option(
          "--layout", layout_,
          "standard: query heads permuted, num_key_value_heads reduced; per-layer: a number "
          "of KV heads for each layer; pad: smaller groups filled up with query heads of "
          "zeros; expand: keys and values repeated to the source's heads; free: widths of "
          "each layer's own, with model code (default: the first of those that are exact and "
          "store the least)")
      ->type_name("LAYOUT");
  shard_option_ = command
                      ->add_option("--max-shard-size", max_shard_size_,
                                   "Largest weight file of a directory, as 5GB or 512MiB")
                      ->capture_default_str()
                      ->type_name("SIZE");
  command
      ->add_option("--dtype", dtype_,
                   "Element type of all weights: float32, float16 or bfloat16, in a GGUF file also "
                   "q8_0 (default: as the source has them)")
      ->type_name("TYPE");
  command->add_flag(
      "--no-tokenizer", no_tokenizer_,
      "Write a GGUF file, or of a GGUF file a directory, for token ids alone, without "
      "the model's tokenizer");
  context_option_ = command
                        ->add_option("--context", context_,
                                     "Longest context that a GGUF file states, in tokens; a model "
                                     "with a sliding window can be written for contexts within it "
                                     "(default: the model's)")
                        ->type_name("N");
  command->add_flag("--force", force_,
                    "Write into a directory that holds files already, or replace a GGUF file");
  command->add_flag("--json", json_, "Print the summary as JSON");
  declare_scratch(*command, scratch_);
  threads_.declare(*command);
  verbosity_.declare(*command);
  return command;
}

std::shared_ptr<const models::WeightOverlay> ConvertCommand::merged_layers(
    const std::shared_ptr<const models::PretrainedModel>& model,
    const models::GroupingFile& grouping, const std::filesystem::path& file,
    const Session& session) const {
  const auto layers = plain_layers(model, grouping, file, session);
  if (!rotates_cache_) return layers;
  return models::rotated_for_cache(model, layers.get());
}

std::shared_ptr<const models::WeightOverlay> ConvertCommand::plain_layers(
    const std::shared_ptr<const models::PretrainedModel>& model,
    const models::GroupingFile& grouping, const std::filesystem::path& file,
    const Session& session) const {
  // Only what is fitted on text needs the model itself to run.
  if (!grouping.recipe.needs_calibration()) {
    return models::merge_plainly(model, grouping.grouping, grouping.recipe);
  }
  const runs::GivenGrouping given{grouping, file, calibration_};
  if (auto kept = runs::kept_layers(given, *model)) return kept;
  const runs::ScratchNeeds needs{{}, true, true, false};
  const models::LanguageModel source(
      model, runs::spared_memory({}, *model, {scratch_, output_}, needs, session.console));
  return runs::grouped_layers(given, source, session.stop, session.console.progress());
}

models::ConvertOptions ConvertCommand::directory_options() const {
  models::ConvertOptions options{runs::parse_size(max_shard_size_, "--max-shard-size"), {}, {}};
  if (!dtype_.empty()) options.dtype = models::find_weight_dtype(dtype_);
  return options;
}

models::DType ConvertCommand::cache_dtype(const models::PretrainedModel& source) const {
  const bool writes_directory = format_ == kDirectory;
  if (!writes_directory) return source.dtype;
  const models::DType own = source.weight_tensor(0, models::AttentionRole::kKey).dtype;
  return directory_options().dtype.value_or(own);
}

void ConvertCommand::require_valid_options() const {
  require_known_format(format_);
  if (format_ == kGguf) {
    refuse_option(shard_option_->count() > 0, "--max-shard-size", kGguf);
  } else {
    // The tokenizer of a directory stands in files that are copied as they are.
    refuse_option(no_tokenizer_ && !models::is_gguf_file(model_), "--no-tokenizer", kDirectory);
    refuse_option(context_option_->count() > 0, "--context", kDirectory);
    directory_options();
  }
}

void ConvertCommand::write_directory(const ConvertInputs& inputs, const Session& session) const {
  models::ConvertOptions options = directory_options();
  runs::require_usable_directory(
      output_, force_ ? runs::ExistingFiles::kAccept : runs::ExistingFiles::kRefuse, "--force");
  require_other_place(output_, model_);
  if (inputs.model->checkpoint.is_gguf() && !no_tokenizer_) {
    options.made_files = files_of_gguf(*inputs.model);
  }
  const auto layers = merged_layers(inputs.model, inputs.grouping, inputs.file, session);
  runs::OutputAttempt attempt(output_);
  options.model_card = model_card(*inputs.model, inputs.grouping, inputs.file, inputs.layout,
                                  cache_dtype(*inputs.model));
  models::convert_checkpoint(*inputs.model, *layers, inputs.layout, options, output_, session.stop,
                             session.console.progress());
  attempt.keep();
}

void ConvertCommand::write_gguf(const ConvertInputs& inputs, const Session& session) const {
  require_other_place(output_, model_);
  GgufOutput output{output_, dtype_, !no_tokenizer_, force_, {}};
  if (context_option_->count() > 0) output.context = context_;
  const models::GgufPlan plan =
      check_gguf_output(output, *inputs.model, inputs.grouping, inputs.file, inputs.layout);
  const auto layers = merged_layers(inputs.model, inputs.grouping, inputs.file, session);
  models::write_gguf(plan, *inputs.model, *layers, output_, session.stop,
                     session.console.progress());
}

void ConvertCommand::run(const Session& session) {
  threads_.apply();
  require_valid_options();
  const auto shared_model = runs::open_model(model_, session.console);
  const models::PretrainedModel& model = *shared_model;
  const std::filesystem::path file = grouping_.path();
  const models::GroupingFile grouping = models::read_grouping_file(file, model);
  const models::ModelHeadMaps maps = models::head_maps(grouping.grouping, model.config);
  const auto code = format_ == kGguf ? models::ModelCode::kIgnores : models::ModelCode::kRuns;
  const models::Layout layout = layout_.empty() ? models::default_layout(maps, model.config, code)
                                                : models::find_layout(layout_);
  models::require_holds(layout, maps, model.config);
  models::require_finite_attention(model);
  const ConvertInputs inputs{shared_model, grouping, file, layout};
  if (format_ == kGguf) {
    write_gguf(inputs, session);
  } else {
    write_directory(inputs, session);
  }

  report(inputs, session);
}

void ConvertCommand::report(const ConvertInputs& inputs, const Session& session) const {
  const models::PretrainedModel& model = *inputs.model;
  const models::Layout layout = inputs.layout;
  const double ratio = inputs.grouping.grouping.kv_ratio();
  const auto heads = models::stored_heads(
      layout, models::head_maps(inputs.grouping.grouping, model.config), model.config);
  const double work = query_work(model.config, heads);
  const models::DType dtype = cache_dtype(model);
  const auto bytes =
      models::kv_bytes_per_token(model.config, models::stored_size(heads, model.config), dtype);
  if (json_) {
    const nlohmann::ordered_json summary = {{"output", output_},
                                            {"layout", models::layout_name(layout)},
                                            {"grouping", inputs.file.string()},
                                            {"kv_ratio", ratio},
                                            {"kv_bytes_per_token", bytes},
                                            {"query_heads_ratio", work}};
    session.console.print(models::json_text(summary, 2));
    return;
  }
  session.console.print(
      fmt::format("{}: layout {}, {:.4f} of the source's KV heads are distinct, KV cache {} bytes "
                  "per token in {}",
                  output_, models::layout_name(layout), ratio, bytes, models::config_name(dtype)));
  if (work > 1) {
    session.console.log(fmt::format(
        "Groups are filled up with query heads of zeros: {:.1f} % more query heads are computed.",
        100 * (work - 1)));
  }
  const double taken = models::stored_size(heads, model.config) / models::stored_size(model.config);
  if (layout != models::Layout::kExpand && taken > ratio + kSameSize) {
    session.console.log(
        fmt::format("Keys and values are filled up with zeros to {} numbers a head: the cache "
                    "takes {:.4f} of the source's, the groups themselves {:.4f}.",
                    heads[0].key_width, taken, ratio));
  }
  if (layout == models::Layout::kExpand) {
    session.console.log(
        "Keys and values are repeated to the source's heads: exact in every engine, but an engine "
        "allocates the source's whole KV cache.");
  } else if (!models::are_stock(layout, heads, model.config) && format_ != kGguf) {
    session.console.log(
        "Layers have heads of their own: load it in transformers with "
        "trust_remote_code=True; the model code stands beside the weights.");
  }
}

}  // namespace regroup::apps
