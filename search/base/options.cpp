#include "search/base/options.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <type_traits>
#include <utility>

#include "search/base/error.hpp"

namespace regroup::search {
namespace {

[[noreturn]] void refuse_type(const Option& option) {
  throw WorkError({.what = "value of another type than the option's", .where = option.flag});
}

std::string refusal_of(const Option& option, const char* usual) {
  return option.refusal.empty() ? usual : option.refusal;
}

/// Takes a value into one field.
class Setter {
 public:
  Setter(const Option& option, const OptionValue& value) : option_(option), value_(value) {}

  template <class T>
  void operator()(T* field) const {
    *field = value<T>();
  }
  template <class T>
  void operator()(const NumberField<T>& field) const {
    *field.value = value<T>();
  }
  void operator()(const NameField& field) const {
    const std::string& name = value<std::string>();
    const auto found = std::ranges::find(field.names, name);
    if (found == field.names.end()) {
      throw InputError({.what = refusal_of(option_, "value of an option is not known"),
                        .where = option_.flag,
                        .expected = fmt::format("one of {}", fmt::join(field.names, ", ")),
                        .found = name});
    }
    field.choose(static_cast<std::size_t>(found - field.names.begin()));
  }
  void operator()(const TextField& field) const { field.read(value<std::string>()); }

 private:
  template <class T>
  const T& value() const {
    const T* held = std::get_if<T>(&value_);
    if (held == nullptr) refuse_type(option_);
    return *held;
  }

  const Option& option_;
  const OptionValue& value_;
};

/// Reads one field.
struct Getter {
  using Value = std::optional<OptionValue>;

  template <class T>
  Value operator()(T* field) const {
    return *field;
  }
  template <class T>
  Value operator()(const NumberField<T>& field) const {
    return *field.value;
  }
  Value operator()(const NameField& field) const {
    const std::optional<std::size_t> chosen = field.chosen();
    if (!chosen) return std::nullopt;
    return std::string(field.names[*chosen]);
  }
  Value operator()(const TextField& field) const { return field.text(); }
};

template <class T>
std::string limits_text(const NumberField<T>& field) {
  if constexpr (std::is_floating_point_v<T>) {
    if (field.most == kFinite) return fmt::format("{} or more", field.least);
  }
  return fmt::format("{} to {}", field.least, field.most);
}

/// Refuses a number outside its limits.
class RangeCheck {
 public:
  explicit RangeCheck(const Option& option) : option_(option) {}

  template <class T>
  void operator()(const NumberField<T>& field) const {
    if (*field.value >= field.least && *field.value <= field.most) return;
    throw InputError({.what = refusal_of(option_, "option is out of range"),
                      .where = option_.flag,
                      .expected = limits_text(field),
                      .found = fmt::format("{}", *field.value)});
  }
  template <class T>
  void operator()(const T&) const {}

 private:
  const Option& option_;
};

bool says_the_same(const Option& a, const Option& b) {
  return a.key == b.key && a.unit == b.unit && a.help == b.help &&
         a.field.index() == b.field.index() && value_of(a) == value_of(b);
}

}  // namespace

void set(const Option& option, const OptionValue& value) {
  const Setter setter(option, value);
  std::visit(setter, option.field);
  for (const OptionField& field : option.also) std::visit(setter, field);
}

void set(std::span<const Option> options, std::string_view flag, const OptionValue& value) {
  const auto found = std::ranges::find(options, flag, &Option::flag);
  if (found == options.end()) {
    throw WorkError({.what = "there is no such option", .found = std::string(flag)});
  }
  set(*found, value);
}

std::optional<OptionValue> value_of(const Option& option) {
  return std::visit(Getter(), option.field);
}

void require_in_range(const Option& option) {
  std::visit(RangeCheck(option), option.field);
}

void require_in_range(std::span<const Option> options) {
  for (const Option& option : options) require_in_range(option);
}

void add_options(std::vector<Option>& list, std::vector<Option> more) {
  for (Option& option : more) {
    const auto there = std::ranges::find(list, option.flag, &Option::flag);
    if (there == list.end()) {
      list.push_back(std::move(option));
      continue;
    }
    if (!says_the_same(*there, option)) {
      throw WorkError(
          {.what = "two parts say different things of one option", .where = option.flag});
    }
    there->also.push_back(std::move(option.field));
  }
}

std::string help_with_names(std::string_view help, std::span<const std::string_view> names) {
  return fmt::format("{}: {}", help, fmt::join(names, ", "));
}

}  // namespace regroup::search
