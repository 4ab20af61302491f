#include "apps/commands/tokenize_command.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "apps/option_declaration.hpp"
#include "apps/text_input.hpp"
#include "models/architecture/config_parts.hpp"
#include "models/checkpoint/gguf/gguf_fields.hpp"
#include "models/checkpoint/gguf/gguf_header.hpp"
#include "models/files/atomic_file.hpp"
#include "models/files/json_fields.hpp"
#include "models/files/json_file.hpp"
#include "models/text/id_files.hpp"
#include "models/text/pipeline/utf8.hpp"
#include "models/text/token_data.hpp"
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

std::optional<std::int32_t> gguf_end_id(const std::filesystem::path& file, int vocabulary) {
  constexpr const char* kKey = "tokenizer.ggml.eos_token_id";
  const nlohmann::json fields = models::gguf_fields(models::read_gguf_metadata(file));
  const auto id = models::optional_int(fields, kKey, file.string(), 0, vocabulary - 1);
  return id ? std::optional(static_cast<std::int32_t>(*id)) : std::nullopt;
}

/// The end-of-sequence id of a model, whose config.json need not be there to tokenize.
std::optional<std::int32_t> end_id(const std::filesystem::path& model, int vocabulary) {
  if (models::is_gguf_file(model)) return gguf_end_id(model, vocabulary);
  const std::filesystem::path file = model / "config.json";
  if (!std::filesystem::exists(file)) return std::nullopt;
  const nlohmann::json config = models::read_json_file(file);
  models::require_object(config, file.string());
  return models::read_token_id(config, "eos_token_id", file.string(), vocabulary);
}

}  // namespace

CLI::App* TokenizeCommand::declare(CLI::App& program) {
  CLI::App* command = program.add_subcommand("tokenize", "Turn text into a model's token ids");
  command->add_option("MODEL", model_, "Directory with the tokenizer's files, or GGUF file")
      ->required();
  data_option_ =
      command->add_option("--data", data_, "UTF-8 text, or documents (.jsonl); -: standard input")
          ->type_name("FILE");
  text_option_ = command->add_option("--text", text_, "The text itself, in place of --data")
                     ->type_name("TEXT")
                     ->excludes(data_option_);
  command
      ->add_option("-o,--output", output_,
                   "Write the ids here, one-dimensional int32 (.npy) (default: print them)")
      ->type_name("FILE");
  declare_options({models::join_option(join_)}, *command);
  command->add_flag("--no-special", without_special_,
                    "Leave out what the tokenizer adds at the beginning and the end");
  command->add_flag("--json", json_,
                    "Print the ids, or the summary where --output is given, as JSON");
  verbosity_.declare(*command);
  return command;
}

std::vector<std::int32_t> TokenizeCommand::encode(const std::string& text, const std::string& where,
                                                  const models::Tokenizer& tokenizer) const {
  const bool special = !without_special_;
  if (!text_option_->empty() || !models::holds_documents(data_)) {
    return tokenizer.encode(text, special);
  }
  return models::encode_joined(models::document_texts(text, where), join_,
                               end_id(model_, tokenizer.vocabulary()), tokenizer, special, where);
}

void TokenizeCommand::run(const Session& session) {
  if (data_option_->empty() && text_option_->empty()) {
    throw InputError({.what = "there is no text", .expected = "--data FILE or --text TEXT"});
  }
  if (!output_.empty()) require_ids_file(output_);
  const auto tokenizer = models::load_tokenizer(model_);
  const bool from_file = text_option_->empty();
  const std::string text = from_file ? read_text(data_) : text_;
  const std::string where = from_file ? data_ : "--text";
  models::require_utf8(text, where);
  const std::vector<std::int32_t> ids = encode(text, where, *tokenizer);
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
