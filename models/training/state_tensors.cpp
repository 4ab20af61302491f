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

TensorFile read_tensors(const std::filesystem::path& file) {
  const SafetensorsFile source(file);
  const auto format = source.metadata().find("format");
  if (format == source.metadata().end() || format->second != kFormat) {
    throw InputError({.what = "not a file of a training", .where = file.string()});
  }
  TensorFile result;
  for (const TensorView& view : source.tensors()) result.tensors[view.name] = to_tensor(view);
  result.notes = source.metadata().at("notes");
  return result;
}

}  // namespace regroup::models
