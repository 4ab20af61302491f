#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <map>
#include <string>

namespace regroup::tests {

/// Reference values of the trained methods: a folder of the shared data, or the one that the
/// environment variable REGROUP_TRAINING_GOLDENS names.
std::filesystem::path training_goldens();

/// Whether the folder is there; else prints the line by which ctest counts the test as skipped.
bool training_goldens_or_skip();

/// A golden file's tensors by name, float64, those in the names of `gradients` requiring gradients.
class TrainingGolden {
 public:
  explicit TrainingGolden(const std::string& file);

  const at::Tensor& operator[](const std::string& name) const { return tensors_.at(name); }
  bool has(const std::string& name) const { return tensors_.contains(name); }
  /// The same as a leaf that records gradients, once for each name.
  at::Tensor leaf(const std::string& name);
  /// Checks that Σ out · cotangent has the golden gradients, and that `out` is the golden one, to
  /// 1e-10.
  void check(const at::Tensor& out) const;

 private:
  std::map<std::string, at::Tensor> tensors_;
  std::map<std::string, at::Tensor> leaves_;
};

}  // namespace regroup::tests

#define REGROUP_NEEDS_TRAINING_GOLDENS                         \
  do {                                                         \
    if (!::regroup::tests::training_goldens_or_skip()) return; \
  } while (false)
