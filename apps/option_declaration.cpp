#include "apps/option_declaration.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <string>
#include <type_traits>
#include <variant>

#include "apps/shell/command_words.hpp"

namespace regroup::apps {
namespace {

using search::NumberField;

/// Declares one option by the kind of its field.
class Declaration {
 public:
  Declaration(const search::Option& option, CLI::App& command)
      : option_(option), command_(command) {}

  CLI::Option* operator()(bool*) const {
    const search::Option& option = option_;
    return command_.add_flag_function(
        option.flag, [option](std::int64_t count) { search::set(option, count > 0); }, option.help);
  }
  template <class T>
  CLI::Option* operator()(const NumberField<T>& field) const {
    return declare<T>()->default_str(fmt::format("{}", *field.value));
  }
  template <class T>
  CLI::Option* operator()(std::vector<T>*) const {
    CLI::Option* declared = declare<std::vector<T>>()->allow_extra_args(false);
    // Names of files may hold commas.
    return std::is_same_v<T, std::filesystem::path> ? declared : declared->delimiter(',');
  }
  CLI::Option* operator()(std::filesystem::path*) const { return declare<std::filesystem::path>(); }
  CLI::Option* operator()(const search::NameField& field) const {
    const auto chosen = field.chosen();
    CLI::Option* declared = declare<std::string>();
    offer_choices(*declared, {field.names.begin(), field.names.end()});
    return declared->default_str(chosen ? std::string(field.names[*chosen]) : "");
  }
  CLI::Option* operator()(const search::TextField&) const { return declare<std::string>(); }

 private:
  template <class T>
  CLI::Option* declare() const {
    const search::Option& option = option_;
    return command_.add_option_function<T>(
        option.flag, [option](const T& value) { search::set(option, value); }, option.help);
  }

  const search::Option& option_;
  CLI::App& command_;
};

}  // namespace

void declare_options(const std::vector<search::Option>& options, CLI::App& command) {
  for (const search::Option& option : options) {
    CLI::Option* declared = std::visit(Declaration(option, command), option.field);
    if (!option.unit.empty()) declared->type_name(option.unit);
  }
}

}  // namespace regroup::apps
