#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "search/base/error.hpp"
#include "search/groupings/grouping_rules.hpp"

namespace regroup::runs {

/// A value of an option by its name on the command line.
template <class T>
struct Choice {
  std::string_view name;
  T value;
};

inline constexpr std::array kSharings = {
    Choice<search::PartitionSharing>{"joint", search::PartitionSharing::kJoint},
    Choice<search::PartitionSharing>{"independent", search::PartitionSharing::kIndependent}};

inline constexpr std::array kShapes = {
    Choice<search::GroupShape>{"any", search::GroupShape::kAny},
    Choice<search::GroupShape>{"per-layer", search::GroupShape::kPerLayer},
    Choice<search::GroupShape>{"standard", search::GroupShape::kStandard}};

/// How KV heads are split over the layers.
enum class Allocation { kProxy, kMeasured };

inline constexpr std::array kAllocations = {Choice<Allocation>{"proxy", Allocation::kProxy},
                                            Choice<Allocation>{"measured", Allocation::kMeasured}};

/// The value called `name`; throws InputError that names the option and lists its values.
template <class T, std::size_t n>
T find_choice(const std::array<Choice<T>, n>& choices, std::string_view name,
              std::string_view option) {
  std::vector<std::string_view> names;
  for (const Choice<T>& choice : choices) {
    if (choice.name == name) return choice.value;
    names.push_back(choice.name);
  }
  throw InputError({.what = "value of an option is not known",
                    .where = std::string(option),
                    .expected = fmt::format("one of {}", fmt::join(names, ", ")),
                    .found = std::string(name)});
}

inline search::PartitionSharing find_sharing(std::string_view name) {
  return find_choice(kSharings, name, "--partitions");
}

inline search::GroupShape find_shape(std::string_view name) {
  return find_choice(kShapes, name, "--layout");
}

inline Allocation find_allocation(std::string_view name) {
  return find_choice(kAllocations, name, "--allocation");
}

}  // namespace regroup::runs
