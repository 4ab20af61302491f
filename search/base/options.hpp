#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace regroup::search {

// Options as data: one entry binds a field to its flag, unit, range or names, help and the key
// under which a run records it. What owns options lists them; who declares them on a command line,
// records them or checks them goes through the list and knows none by name. A default is what the
// field holds when it is listed.

/// A number field and what it may hold: least ≤ value ≤ most.
template <class T>
struct NumberField {
  T* value;
  T least;
  T most;
};

/// A field that holds one of some named values.
struct NameField {
  std::vector<std::string_view> names;
  std::function<void(std::size_t)> choose;  ///< takes a value by its place among the names
  std::function<std::optional<std::size_t>()> chosen;  ///< nothing: left open
};

/// A field of another kind, by the text that says it; `read` throws InputError.
struct TextField {
  std::function<void(const std::string&)> read;
  std::function<std::string()> text;  ///< empty: left open
};

using OptionField =
    std::variant<bool*, NumberField<int>, NumberField<std::int64_t>, NumberField<double>,
                 std::vector<int>*, std::vector<double>*, std::vector<std::string>*,
                 std::filesystem::path*, std::vector<std::filesystem::path>*, NameField, TextField>;

/// One option. The fields that it is bound to must outlive it.
struct Option {
  std::string flag;       ///< "--population"
  std::string key = {};   ///< in a run's record; empty: it does not decide the result
  std::string unit = {};  ///< as help shows it, "N"; empty: of the kind of its field
  std::string help;       ///< what it does, and what it is where the field does not say its default
  OptionField field;
  std::string refusal = {};            ///< of a value; empty: the usual words
  std::vector<OptionField> also = {};  ///< fields of other parts that take the same value
};

/// A value by its name on the command line.
template <class T>
struct Named {
  std::string_view name;
  T value;
};

/// Binds a field to its named values.
template <class T, std::size_t n>
NameField names_of(T& field, const std::array<Named<T>, n>& choices) {
  NameField result;
  for (const Named<T>& choice : choices) result.names.push_back(choice.name);
  result.choose = [&field, choices](std::size_t i) { field = choices[i].value; };
  result.chosen = [&field, choices]() -> std::optional<std::size_t> {
    for (std::size_t i = 0; i < n; ++i) {
      if (choices[i].value == field) return i;
    }
    return std::nullopt;
  };
  return result;
}

/// The same for a field that may be left open.
template <class T, std::size_t n>
NameField names_of(std::optional<T>& field, const std::array<Named<T>, n>& choices) {
  NameField result;
  for (const Named<T>& choice : choices) result.names.push_back(choice.name);
  result.choose = [&field, choices](std::size_t i) { field = choices[i].value; };
  result.chosen = [&field, choices]() -> std::optional<std::size_t> {
    for (std::size_t i = 0; i < n; ++i) {
      if (field && choices[i].value == *field) return i;
    }
    return std::nullopt;
  };
  return result;
}

/// The most that counts may be where nothing else limits them.
inline constexpr int kMany = 1'000'000;
/// The largest number of an option: less than the largest there is, to which a parser of command
/// lines clamps what does not fit.
inline constexpr std::int64_t kLargestOption = std::numeric_limits<std::int64_t>::max() - 1;
/// As the most of a number: no limit but that it is finite.
inline constexpr double kFinite = std::numeric_limits<double>::max();

/// A value for an option's fields, of the type that they hold; a name for a NameField, a text for a
/// TextField.
using OptionValue =
    std::variant<bool, int, std::int64_t, double, std::vector<int>, std::vector<double>,
                 std::vector<std::string>, std::filesystem::path,
                 std::vector<std::filesystem::path>, std::string>;

/// Puts a value into every field of an option. Throws InputError, naming the option, for a name
/// that is none of its names or what a TextField refuses; WorkError for a value of another type.
void set(const Option& option, const OptionValue& value);
/// The same for the option with that flag; throws WorkError if there is none.
void set(std::span<const Option> options, std::string_view flag, const OptionValue& value);

/// What the option's field holds, of a NameField the name; nothing where it is left open.
std::optional<OptionValue> value_of(const Option& option);

/// Throws InputError, naming the option, for a number outside its limits.
void require_in_range(const Option& option);
void require_in_range(std::span<const Option> options);

/// Adds options to a list in which every flag stands once: an option that is there already takes
/// the other's fields too, so that both parts get the value. Throws WorkError unless both say the
/// same of it.
void add_options(std::vector<Option>& list, std::vector<Option> more);

/// "Search: qcqa, exact": help that ends with the names to choose from.
std::string help_with_names(std::string_view help, std::span<const std::string_view> names);

}  // namespace regroup::search
