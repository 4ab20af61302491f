#include "apps/commands/generate_command.hpp"

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "apps/text_input.hpp"
#include "models/files/json_file.hpp"
#include "models/text/chat/chat_template.hpp"
#include "models/text/pipeline/utf8.hpp"
#include "models/text/text_stream.hpp"
#include "runs/inputs/open_model.hpp"
#include "search/base/error.hpp"

namespace regroup::apps {
namespace {

using nlohmann::ordered_json;

void declare_sampling(CLI::App& command, models::SamplingOptions& sampling) {
  command
      .add_option("--temperature", sampling.temperature,
                  "Divides the logits before a token is drawn; 0: always the most likely token")
      ->capture_default_str()
      ->type_name("T");
  command
      .add_option("--top-k", sampling.top_k, "Draw from the K most likely tokens (default: 0, all)")
      ->type_name("K");
  command
      .add_option("--top-p", sampling.top_p,
                  "Draw from the most likely tokens that together are at least this likely, of "
                  "those that --top-k leaves (default: 1, all)")
      ->type_name("P");
}

}  // namespace

CLI::App* GenerateCommand::declare(CLI::App& program) {
  CLI::App* command = program.add_subcommand(
      "generate", "Continue a text with a model, or a model with a grouping, and a KV cache");
  command->add_option("MODEL", model_, "Hugging Face directory or GGUF file")->required();
  grouping_.declare(*command);
  prompt_option_ =
      command->add_option("--prompt", prompt_, "The text to continue")->type_name("TEXT");
  prompt_file_option_ =
      command
          ->add_option("--prompt-file", prompt_file_,
                       "File with the text, UTF-8, in place of --prompt; -: standard input")
          ->type_name("FILE")
          ->excludes(prompt_option_);
  command->add_flag("--chat", chat_,
                    "The text is what a user says: put it into a conversation by the model's chat "
                    "template, up to where the answer begins");
  system_option_ = command
                       ->add_option("--system", system_,
                                    "With --chat: what the conversation's system message says "
                                    "(default: there is none)")
                       ->type_name("TEXT");
  command
      ->add_option("--max-tokens", max_tokens_,
                   "Most new tokens; prompt and new tokens end at the model's context")
      ->capture_default_str()
      ->type_name("N");
  declare_sampling(*command, sampling_);
  command->add_option("--seed", seed_, "Of the draws")->capture_default_str()->type_name("N");
  command->add_flag("--ignore-eos", ignore_eos_,
                    "Go on where the model ends its text (eos_token_id of generation_config.json, "
                    "else of config.json)");
  command->add_flag(
      "--json", json_,
      "Print ids, text, speed and cache as JSON at the end, not the text as it comes");
  compute_.declare(*command);
  threads_.declare(*command);
  verbosity_.declare(*command);
  return command;
}

void GenerateCommand::require_valid_options() const {
  if (prompt_option_->empty() && prompt_file_option_->empty()) {
    throw InputError(
        {.what = "there is no prompt", .expected = "--prompt TEXT or --prompt-file FILE"});
  }
  if (!system_option_->empty() && !chat_) {
    throw InputError({.what = "a system message needs a conversation",
                      .where = "--system",
                      .expected = "--chat"});
  }
  runs::require_range(max_tokens_, 1, runs::kLargestOption, "--max-tokens");
  runs::require_range(seed_, 0, runs::kLargestOption, "--seed");
  models::require_valid(sampling_);
}

std::string GenerateCommand::prompt_text() const {
  const bool from_file = prompt_option_->empty();
  std::string text = from_file ? read_text(prompt_file_) : prompt_;
  models::require_utf8(text, from_file ? prompt_file_ : "--prompt");
  return text;
}

/// A text without ids begins as the model's own texts do. A template writes the special tokens
/// itself.
std::vector<std::int32_t> GenerateCommand::prompt_ids(const models::Tokenizer& tokenizer,
                                                      const models::ModelConfig& config) const {
  const std::string text = prompt_text();
  if (chat_) {
    models::require_utf8(system_, "--system");
    std::vector<models::ChatMessage> messages;
    if (!system_option_->empty()) messages.push_back({"system", system_});
    messages.push_back({"user", text});
    return tokenizer.encode(models::chat_text(model_, messages), /*special=*/false);
  }
  std::vector<std::int32_t> ids = tokenizer.encode(text, /*special=*/true);
  if (ids.empty() && config.bos) ids.push_back(*config.bos);
  return ids;
}

models::GenerationOptions GenerateCommand::options(const models::PretrainedModel& model) const {
  models::GenerationOptions options{.sampling = sampling_,
                                    .key = search::RandomKey(static_cast<std::uint64_t>(seed_)),
                                    .most_tokens = static_cast<std::size_t>(max_tokens_)};
  if (!ignore_eos_) options.stop_ids = models::end_ids(model);
  return options;
}

void GenerateCommand::run(const Session& session) {
  require_valid_options();
  threads_.apply();
  const models::ComputeOptions compute = compute_.options();
  const auto pretrained = runs::open_model(model_, session.console);
  models::require_causal(pretrained->config);
  const auto tokenizer = models::load_tokenizer(model_);
  Written written{.prompt = prompt_ids(*tokenizer, pretrained->config)};
  models::require_prompt(written.prompt, pretrained->config);
  const models::GenerationOptions options = this->options(*pretrained);
  grouping_.read(*pretrained);
  const models::LanguageModel model =
      grouping_.apply({pretrained, compute}, session.stop, session.console.progress());
  const GenerationClock clock = write(model, *tokenizer, options, session, written);
  if (written.generation.end == models::GenerationEnd::kContext) {
    session.console.log(
        fmt::format("the model's context of {} tokens is full", pretrained->config.context));
  }
  const GenerationFigures figures =
      generation_figures(written.generation, written.prompt.size(), clock, *pretrained, compute);
  session.console.log(figures_text(figures));
  if (json_) session.console.print(models::json_text(result(written, figures), 2));
}

GenerationClock GenerateCommand::write(const models::LanguageModel& model,
                                       const models::Tokenizer& tokenizer,
                                       const models::GenerationOptions& options,
                                       const Session& session, Written& written) const {
  models::TextStream stream(tokenizer, written.prompt);
  const auto give = [&](const std::string& part) {
    written.text += part;
    if (!json_ && !part.empty()) session.console.write(part);
  };
  GenerationClock clock;
  written.generation = models::generate(
      model, written.prompt, options,
      [&](std::int32_t id) {
        clock.count();
        give(stream.add(id));
      },
      session.stop);
  give(stream.finish());
  if (!json_) session.console.print("");
  return clock;
}

ordered_json GenerateCommand::result(const Written& written,
                                     const GenerationFigures& figures) const {
  ordered_json result = {{"prompt_ids", written.prompt},
                         {"ids", written.generation.ids},
                         {"text", written.text},
                         {"end", end_name(written.generation.end)}};
  result.update(figures_json(figures));
  result["config"] = {
      {"model", model_},
      {"grouping", grouping_.is_given() ? ordered_json(grouping_.file()) : ordered_json()},
      {"chat", chat_},
      {"system", system_option_->empty() ? ordered_json() : ordered_json(system_)},
      {"temperature", sampling_.temperature},
      {"top_k", sampling_.top_k},
      {"top_p", sampling_.top_p},
      {"seed", seed_},
      {"dtype", compute_.dtype},
      {"device", compute_.device}};
  return result;
}

}  // namespace regroup::apps
