#include "models/training/state_tensors.hpp"

#include <vector>

#include "models/checkpoint/safetensors.hpp"
#include "models/checkpoint/safetensors_writer.hpp"
#include "models/tensors/tensors.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

constexpr const char* kFormat = "regroup.training-state";

/// How a tensor is written.
DType stored_type(at::ScalarType type) {
  for (const DType own : {DType::kF32, DType::kF16, DType::kBF16}) {
    if (scalar_type(own) == type) return own;
  }
  return DType::kF64;
}

}  // namespace

void write_tensors(const std::filesystem::path& file,
                   const std::map<std::string, at::Tensor>& tensors, const std::string& notes,
                   const std::filesystem::path& temporary_directory) {
  std::vector<PlannedTensor> plan;
  for (const auto& [name, tensor] : tensors) {
    const DType type = stored_type(tensor.scalar_type());
    const auto fill = [tensor, type](std::span<std::byte> out) {
      copy_bytes(tensor.detach().to(at::kCPU, scalar_type(type)).contiguous(), out);
    };
    plan.push_back({name, type, tensor.sizes().vec(), fill});
  }
  write_safetensors_file(file, plan,
                         {.metadata = {{"format", kFormat}, {"notes", notes}},
                          .temporary_directory = temporary_directory});
}

StoredTensors::StoredTensors(const std::filesystem::path& file) : file_(file) {
  const auto format = file_.metadata().find("format");
  if (format != file_.metadata().end() && format->second == kFormat) return;
  throw InputError({.what = "not a file of a training", .where = file.string()});
}

at::Tensor StoredTensors::read(const std::string& name) const {
  const TensorView* view = file_.find(name);
  return view != nullptr ? to_tensor(*view) : at::Tensor();
}

TensorFile read_tensors(const std::filesystem::path& file) {
  const StoredTensors stored(file);
  TensorFile result;
  for (const std::string& name : stored.names()) result.tensors[name] = stored.read(name);
  result.notes = stored.notes();
  return result;
}

}  // namespace regroup::models
