#include "apps/commands/grouping_command.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "models/files/atomic_file.hpp"
#include "models/files/json_file.hpp"
#include "models/grouping/grouping_file.hpp"
#include "models/grouping/stated_grouping.hpp"
#include "models/merge/operators/merge_table.hpp"
#include "runs/base/output_directory.hpp"
#include "search/base/error.hpp"

namespace regroup::apps {
namespace {

using models::GroupingFormat;
using models::HeadCounts;

/// The model of --model, none where it is not given.
std::optional<models::PretrainedModel> open_if_given(const std::string& directory) {
  if (directory.empty()) return std::nullopt;
  return models::open_model(directory);
}

/// A grouping JSON as its model or, without one, the file itself says its heads.
models::StatedGrouping read_grouping(const std::string& file, const std::string& model) {
  if (model.empty()) return models::read_stated_grouping(file);
  const models::PretrainedModel opened = models::open_model(model);
  return {models::read_grouping_file(file, opened).grouping, HeadCounts::of(opened.config)};
}

void require_usable_output(const GroupingFormat& format, const std::string& output) {
  if (format.is_directory()) {
    runs::require_usable_directory(output, runs::ExistingFiles::kRefuse,
                                   "--format chai, which is one file");
  } else {
    require_writable_file(output, "--output");
  }
}

void write_files(const std::vector<models::NamedText>& files, const std::filesystem::path& output) {
  for (const models::NamedText& file : files) {
    const std::filesystem::path path = file.name.empty() ? output : output / file.name;
    models::write_file_atomically(path, file.text);
  }
}

bool is_neighbours(const search::Grouping& grouping) {
  for (const search::LayerGrouping& layer : grouping.layers) {
    const search::Partition& keys = layer.keys;
    if (keys != search::Partition::neighbours(keys.heads(), keys.groups())) return false;
  }
  return true;
}

}  // namespace

CLI::App* GroupingCommand::declare_direction(CLI::App& command, const std::string& name,
                                             const std::string& description,
                                             const std::string& input, const std::string& output) {
  CLI::App* direction = command.add_subcommand(name, description);
  direction->add_option("FILE", input_, input)->required();
  direction
      ->add_option("--format", format_,
                   fmt::format("Form of the other tool's file: {}",
                               fmt::join(models::grouping_format_names(), ", ")))
      ->required()
      ->type_name("FORMAT");
  direction
      ->add_option("--model", model_,
                   "Hugging Face directory of the model to check the grouping against (default: "
                   "none)")
      ->type_name("DIR");
  direction->add_option("-o,--output", output_, output)->required()->type_name("FILE");
  direction->add_flag("--json", json_, "Print the summary as JSON");
  verbosity_.declare(*direction);
  return direction;
}

CLI::App* GroupingCommand::declare(CLI::App& program) {
  CLI::App* command = program.add_subcommand(
      "grouping", "Write a grouping in another tool's form, or read one from it");
  command->require_subcommand(1);
  export_ = declare_direction(*command, "export", "Write a grouping in another tool's form",
                              "Grouping JSON to read",
                              "File to write; of chai-layers a new or empty directory");
  CLI::App* import = declare_direction(
      *command, "import", "Read a grouping from another tool's form",
      "File to read; of chai and chai-layers also a directory", "Grouping JSON to write");
  import
      ->add_option(
          "--merge", merge_,
          "Merge operator to write into the grouping JSON (default: none, which is read as "
          "mean)")
      ->type_name("NAME");
  return command;
}

void GroupingCommand::print_summary(const GroupingFormat& format, const search::Grouping& grouping,
                                    const Session& session) const {
  const std::size_t layers = grouping.layers.size();
  const int heads = grouping.layers[0].keys.heads();
  const double ratio = grouping.kv_ratio();
  if (json_) {
    const nlohmann::ordered_json summary = {{"output", output_},
                                            {"format", format.name()},
                                            {"layers", layers},
                                            {"kv_heads", heads},
                                            {"kv_ratio", ratio}};
    session.console.print(models::json_text(summary, 2));
    return;
  }
  session.console.print(fmt::format("{}: {} layers of {} KV heads, {:.4f} of them are distinct",
                                    output_, layers, heads, ratio));
}

void GroupingCommand::export_grouping(const GroupingFormat& format, const Session& session) const {
  const auto [grouping, heads] = read_grouping(input_, model_);
  const auto files = models::write_grouping_as(format, grouping, heads);
  require_usable_output(format, output_);
  std::optional<runs::OutputAttempt> attempt;
  if (format.is_directory()) attempt.emplace(output_);
  write_files(files, output_);
  if (attempt) attempt->keep();
  print_summary(format, grouping, session);
  if (!format.keeps_members() && !is_neighbours(grouping)) {
    session.console.log(fmt::format(
        "{} says how many heads share and not which: read back, neighbours do.", format.name()));
  }
}

void GroupingCommand::import_grouping(const GroupingFormat& format, const Session& session) const {
  const models::MergeOperator* merge = merge_.empty() ? nullptr : &models::find_merge(merge_);
  const auto model = open_if_given(model_);
  const auto heads = model ? std::optional(HeadCounts::of(model->config)) : std::nullopt;
  const search::Grouping grouping = format.read(input_, heads);
  require_writable_file(output_, "--output");
  models::write_file_atomically(
      output_, models::imported_grouping_text(grouping, model ? &*model : nullptr, merge));
  print_summary(format, grouping, session);
}

void GroupingCommand::run(const Session& session) {
  const GroupingFormat& format = models::find_grouping_format(format_);
  if (export_->parsed()) {
    export_grouping(format, session);
  } else {
    import_grouping(format, session);
  }
}

}  // namespace regroup::apps
