#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "models/checkpoint/pickle/state_dict.hpp"

// What an unpickled state dict is made of. Values refer to each other by their places in one
// vector and not by pointers: a file may nest them as deep as it is long, and destructors that
// follow pointers would overflow the stack.
namespace regroup::models::pickle {

/// The place of a value.
struct Ref {
  std::size_t index;
};

/// None, a truth value or a floating-point number; no state dict depends on which.
struct Plain {};
struct Tuple {
  std::vector<Ref> items;
};
struct List {
  std::vector<Ref> items;
};
struct Dict {
  std::vector<std::pair<Ref, Ref>> items;
};
/// A class of storages, `torch.FloatStorage`; without a type: of bytes.
struct StorageClass {
  std::optional<DType> dtype;
};
/// The functions that make tensors and dictionaries.
enum class Function { kOrderedDict, kTensor, kTypedTensor, kParameter };

using Value = std::variant<Plain, std::int64_t, std::string_view, Tuple, List, Dict, DType,
                           StorageClass, Function, PickledStorage, PickledTensor>;

}  // namespace regroup::models::pickle
