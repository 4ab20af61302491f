#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "search/base/error.hpp"
#include "search/groupings/grouping_rules.hpp"
#include "search/key_norm/deal.hpp"
#include "search/method/method.hpp"

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

inline constexpr std::array kStageTwoChoices = {
    Choice<search::StageTwoChoice>{"member", search::StageTwoChoice::kFrontMember},
    Choice<search::StageTwoChoice>{"bit", search::StageTwoChoice::kBit}};

inline constexpr std::array kShapes = {
    Choice<search::GroupShape>{"any", search::GroupShape::kAny},
    Choice<search::GroupShape>{"per-layer", search::GroupShape::kPerLayer},
    Choice<search::GroupShape>{"standard", search::GroupShape::kStandard}};

inline constexpr std::array kDgqaKinds = {Choice<search::DgqaKind>{"diff", search::DgqaKind::kDiff},
                                          Choice<search::DgqaKind>{"ema", search::DgqaKind::kEma}};

/// How KV heads are split over the layers.
enum class Allocation { kProxy, kMeasured };

inline constexpr std::array kAllocations = {Choice<Allocation>{"proxy", Allocation::kProxy},
                                            Choice<Allocation>{"measured", Allocation::kMeasured}};

/// What the distances between heads are taken from.
enum class HeadDistance { kActivation, kWeight };

inline constexpr std::array kDistances = {
    Choice<HeadDistance>{"activation", HeadDistance::kActivation},
    Choice<HeadDistance>{"weight", HeadDistance::kWeight}};

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

inline HeadDistance find_distance(std::string_view name) {
  return find_choice(kDistances, name, "--distance");
}

inline search::StageTwoChoice find_stage_two(std::string_view name) {
  return find_choice(kStageTwoChoices, name, "--stage-two");
}

inline search::DgqaKind find_dgqa(std::string_view name) {
  return find_choice(kDgqaKinds, name, "--dgqa");
}

}  // namespace regroup::runs
