#include "models/checkpoint/weight_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "search/base/error.hpp"

namespace regroup::models {

void WeightFile::set_tensors(std::vector<TensorView> tensors) {
  tensors_ = std::move(tensors);
}

std::vector<std::string> WeightFile::names() const {
  std::vector<std::string> names;
  for (const TensorView& tensor : tensors_) names.push_back(tensor.name);
  return names;
}

const TensorView* WeightFile::find(std::string_view name) const {
  const auto found = std::lower_bound(
      tensors_.begin(), tensors_.end(), name,
      [](const TensorView& tensor, std::string_view wanted) { return tensor.name < wanted; });
  return found == tensors_.end() || found->name != name ? nullptr : &*found;
}

const TensorView& WeightFile::tensor(std::string_view name) const {
  if (const TensorView* found = find(name)) return *found;
  throw InputError({.what = "tensor is missing",
                    .where = path().string(),
                    .expected = tensor_label(std::string(name)),
                    .found = fmt::format("{} other tensors", tensors_.size())});
}

}  // namespace regroup::models
