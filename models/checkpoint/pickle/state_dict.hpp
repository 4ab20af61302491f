#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/elements/dtype.hpp"

// Written here because no library but LibTorch, which this part of models/ does without, reads such
// pickles in C++, and its reader wants the whole file in memory.
namespace regroup::models {

/// A piece of memory that tensors of a pickle lie in, one record of the archive.
struct PickledStorage {
  std::string_view key;        ///< the record is `data/KEY`; part of the pickle
  std::optional<DType> dtype;  ///< none: `elements` are bytes, and each tensor says its own type
  std::int64_t elements = 0;
};

/// A tensor as a pickle describes it; nothing in it is checked against the storage yet.
struct PickledTensor {
  PickledStorage storage;
  DType dtype = DType::kF32;
  std::int64_t offset = 0;            ///< of the first element in the storage, in elements
  std::vector<std::int64_t> shape;    ///< outermost dimension first
  std::vector<std::int64_t> strides;  ///< elements from one index to the next, per dimension
};

/// Tensors by name.
using StateDict = std::map<std::string, PickledTensor>;

/// Reads the pickle of a state dict as torch.save writes it (protocol 2): a dictionary or
/// OrderedDict from names to tensors or Parameters. Knows only what that needs, looks nothing up in
/// a Python and runs nothing: whatever else a pickle names is refused. Linear in its length.
///
/// The pickle must outlive the result. Throws InputError, naming `where` and the byte or the entry:
/// a broken pickle, one of more than 16 MiB, other classes and functions, and entries that are no
/// tensor of a type that safetensors files can hold.
StateDict read_state_dict(std::span<const std::byte> pickle, const std::string& where);

}  // namespace regroup::models
