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

const QcqaMethod kQcqaArbitrary(GroupSizes::kArbitrary);
const QcqaMethod kQcqaEqual(GroupSizes::kEqual);
const KeyNormMethod kKdgqa(KeyNormDeal::kOnce);
const KeyNormMethod kDgqa(KeyNormDeal::kReplayed);
const ExactMethod kExact;
const ExhaustiveMethod kExhaustive;
const AsymGqaMethod kAsymGqa;
const NeighbourMethod kNeighbour;
const MqaMethod kMqa;
const RandomMethod kRandom;

/// Every method; a new one is one line here.
const std::array<const SearchMethod*, 10> kMethods = {
    &kQcqaArbitrary, &kQcqaEqual,  &kAsymGqa,   &kKdgqa, &kDgqa,
    &kExact,         &kExhaustive, &kNeighbour, &kMqa,   &kRandom};

}  // namespace

std::vector<std::string_view> method_names() {
  std::vector<std::string_view> names;
  for (const SearchMethod* method : kMethods) names.push_back(method->name());
  return names;
}

const SearchMethod& find_method(std::string_view name) {
  for (const SearchMethod* method : kMethods) {
    if (method->name() == name) return *method;
  }
  throw InputError({.what = "method is not known",
                    .where = "--method",
                    .expected = fmt::format("one of {}", fmt::join(method_names(), ", ")),
                    .found = std::string(name)});
}

}  // namespace regroup::search
