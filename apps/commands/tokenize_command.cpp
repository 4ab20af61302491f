#include "apps/commands/tokenize_command.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "apps/text_input.hpp"
#include "models/files/atomic_file.hpp"
#include "models/files/json_file.hpp"
#include "models/text/id_files.hpp"
#include "models/text/pipeline/utf8.hpp"
#include "models/text/tokenizer.hpp"
#include "search/base/error.hpp"

namespace regroup::apps {
namespace {

using nlohmann::ordered_json;

void require_ids_file(const std::filesystem::path& output) {
  if (output.extension() != ".npy") {
    throw InputError({.what = "token ids are written as a NumPy file",
                      .where = "--output",
                      .expected = "a name that ends in .npy",
                      .found = output.string()});
  }
  require_writable_file(output, "--output");
}

}  // namespace

CLI::App* TokenizeCommand::declare(CLI::App& program) {
  CLI::App* command = program.add_subcommand("tokenize", "Turn text into a model's token ids");
  command->add_option("MODEL", model_, "Directory with the tokenizer's files, or GGUF file")
      ->required();
  data_option_ =
      command->add_option("--data", data_, "UTF-8 text; -: standard input")->type_name("FILE");
  text_option_ = command->add_option("--text", text_, "The text itself, in place of --data")
                     ->type_name("TEXT")
                     ->excludes(data_option_);
  command
      ->add_option("-o,--output", output_,
                   "Write the ids here, one-dimensional int32 (.npy) (default: print them)")
      ->type_name("FILE");
  command->add_flag("--no-special", without_special_,
                    "Leave out what the tokenizer adds at the beginning and the end");
  command->add_flag("--json", json_,
                    "Print the ids, or the summary where --output is given, as JSON");
  verbosity_.declare(*command);
  return command;
}

void TokenizeCommand::run(const Session& session) {
  if (data_option_->empty() && text_option_->empty()) {
    throw InputError({.what = "there is no text", .expected = "--data FILE or --text TEXT"});
  }
  if (!output_.empty()) require_ids_file(output_);
  const auto tokenizer = models::load_tokenizer(model_);
  const bool from_file = text_option_->empty();
  const std::string text = from_file ? read_text(data_) : text_;
  models::require_utf8(text, from_file ? data_ : "--text");
  const std::vector<std::int32_t> ids = tokenizer->encode(text, !without_special_);
  if (!output_.empty()) models::write_file_atomically(output_, models::npy_file(ids));
  if (json_) {
    ordered_json result = {{"tokens", ids.size()}, {"vocabulary", tokenizer->vocabulary()}};
    if (output_.empty()) {
      result["ids"] = ids;
    } else {
      result["output"] = output_;
    }
    session.console.print(models::json_text(result));
  } else if (output_.empty()) {
    session.console.print(fmt::format("{}", fmt::join(ids, " ")));
  } else {
    session.console.print(
        fmt::format("{}: {} tokens of {} bytes", output_, ids.size(), text.size()));
  }
}

}  // namespace regroup::apps
