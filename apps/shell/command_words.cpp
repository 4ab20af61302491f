#include "apps/shell/command_words.hpp"

#include <algorithm>
#include <iterator>
#include <sstream>

namespace regroup::apps {
namespace {

std::vector<std::string> choices_of(CLI::Option& option) {
  std::vector<std::string> choices;
  // CLI11 has no other way to ask whether an option has a validator.
  try {
    std::istringstream names(option.get_validator(0)->get_name());
    choices.assign(std::istream_iterator<std::string>(names), {});
  } catch (const CLI::OptionNotFound&) {
  }
  return choices;
}

OptionWords words_of(CLI::Option& option) {
  OptionWords words;
  if (option.get_positional()) {
    words.names.push_back(option.get_name(true));
  } else {
    for (const std::string& name : option.get_snames()) words.names.push_back("-" + name);
    for (const std::string& name : option.get_lnames()) words.names.push_back("--" + name);
  }
  words.help = option.get_description();
  const bool takes_value = option.get_items_expected_max() > 0;
  if (takes_value) words.unit = option.get_type_name();
  words.default_text = option.get_default_str();
  words.choices = choices_of(option);
  words.group = option.get_group();
  words.is_required = option.get_required();
  return words;
}

CommandWords words_of(CLI::App& command, const std::vector<std::string>& path) {
  CommandWords words{path, command.get_description(), {}, {}, {}};
  for (CLI::Option* option : command.get_options()) {
    (option->get_positional() ? words.arguments : words.options).push_back(words_of(*option));
  }
  for (CLI::App* inner : command.get_subcommands([](CLI::App*) { return true; })) {
    std::vector<std::string> inner_path = path;
    inner_path.push_back(inner->get_name());
    words.commands.push_back(words_of(*inner, inner_path));
  }
  return words;
}

}  // namespace

bool OptionWords::is_path() const {
  return unit == "FILE" || unit == "DIR" || unit == "PATH" || names.front() == "MODEL";
}

const std::string& OptionWords::name() const {
  return *std::ranges::max_element(names, {}, &std::string::size);
}

std::string CommandWords::words(const std::string& between) const {
  std::string words;
  for (const std::string& word : path) words += (words.empty() ? "" : between) + word;
  return words;
}

CommandWords command_words(CLI::App& program) {
  return words_of(program, {});
}

std::vector<const CommandWords*> all_commands_of(const CommandWords& program) {
  std::vector<const CommandWords*> all = {&program};
  for (const CommandWords& command : program.commands) {
    std::ranges::copy(all_commands_of(command), std::back_inserter(all));
  }
  return all;
}

void offer_choices(CLI::Option& option, const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : " ") + name;
  option.check(CLI::Validator([](std::string&) { return std::string(); }, "", text));
}

}  // namespace regroup::apps
