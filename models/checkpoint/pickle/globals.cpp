#include "models/checkpoint/pickle/machine.hpp"

#include <array>

namespace regroup::models::pickle {
namespace {

struct FunctionEntry {
  std::string_view module;
  std::string_view name;
  Function function;
};

constexpr std::array kFunctions = {
    FunctionEntry{"collections", "OrderedDict", Function::kOrderedDict},
    FunctionEntry{"torch._utils", "_rebuild_tensor_v2", Function::kTensor},
    FunctionEntry{"torch._utils", "_rebuild_tensor_v3", Function::kTypedTensor},
    FunctionEntry{"torch._utils", "_rebuild_parameter", Function::kParameter},
};

struct StorageEntry {
  std::string_view name;
  DType dtype;
};

/// Classes of the module `torch`. Element types that have none are in storages of bytes.
constexpr std::array kStorages = {
    StorageEntry{"BoolStorage", DType::kBool},        StorageEntry{"ByteStorage", DType::kU8},
    StorageEntry{"CharStorage", DType::kI8},          StorageEntry{"ShortStorage", DType::kI16},
    StorageEntry{"IntStorage", DType::kI32},          StorageEntry{"LongStorage", DType::kI64},
    StorageEntry{"HalfStorage", DType::kF16},         StorageEntry{"BFloat16Storage", DType::kBF16},
    StorageEntry{"FloatStorage", DType::kF32},        StorageEntry{"DoubleStorage", DType::kF64},
    StorageEntry{"ComplexFloatStorage", DType::kC64},
};

/// A name of the module `torch`: a class of storages, else an element type.
std::optional<Value> find_in_torch(std::string_view name) {
  for (const StorageEntry& entry : kStorages) {
    if (entry.name == name) return StorageClass{entry.dtype};
  }
  if (const auto dtype = dtype_from_config(name)) return *dtype;
  return std::nullopt;
}

}  // namespace

std::optional<Value> find_global(std::string_view module, std::string_view name) {
  for (const FunctionEntry& entry : kFunctions) {
    if (entry.module == module && entry.name == name) return entry.function;
  }
  if (module == "torch.storage" && name == "UntypedStorage") return StorageClass{};
  return module == "torch" ? find_in_torch(name) : std::nullopt;
}

}  // namespace regroup::models::pickle
