#include "search/methods/method_table.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>

#include "search/asymgqa/asymgqa_method.hpp"
#include "search/base/error.hpp"
#include "search/exact/exact_method.hpp"
#include "search/key_norm/key_norm_methods.hpp"
#include "search/methods/baseline_methods.hpp"
#include "search/methods/exhaustive_method.hpp"
#include "search/qcqa/qcqa_methods.hpp"

namespace regroup::search {
namespace {

template <class Method, auto... kind>
std::unique_ptr<SearchMethod> make() {
  return std::make_unique<Method>(kind...);
}

/// Makes every method with default options, in the order of help; a new one is one line here.
constexpr std::array kMakers = {&make<QcqaMethod, GroupSizes::kArbitrary>,
                                &make<QcqaMethod, GroupSizes::kEqual>,
                                &make<AsymGqaMethod>,
                                &make<KeyNormMethod, KeyNormDeal::kOnce>,
                                &make<KeyNormMethod, KeyNormDeal::kReplayed>,
                                &make<ExactMethod>,
                                &make<ExhaustiveMethod>,
                                &make<NeighbourMethod>,
                                &make<MqaMethod>,
                                &make<RandomMethod>};

}  // namespace

std::vector<std::unique_ptr<SearchMethod>> make_methods() {
  std::vector<std::unique_ptr<SearchMethod>> methods;
  for (const auto maker : kMakers) methods.push_back(maker());
  return methods;
}

std::vector<std::string_view> method_names() {
  std::vector<std::string_view> names;
  for (const auto& method : make_methods()) names.push_back(method->name());
  return names;
}

std::unique_ptr<SearchMethod> make_method(std::string_view name) {
  for (const auto maker : kMakers) {
    std::unique_ptr<SearchMethod> method = maker();
    if (method->name() == name) return method;
  }
  throw InputError({.what = "method is not known",
                    .where = "--method",
                    .expected = fmt::format("one of {}", fmt::join(method_names(), ", ")),
                    .found = std::string(name)});
}

std::vector<Option> method_options(std::span<const std::unique_ptr<SearchMethod>> methods) {
  std::vector<Option> options;
  for (const auto& method : methods) add_options(options, method->options());
  return options;
}

}  // namespace regroup::search
