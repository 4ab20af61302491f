#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

#include "models/checkpoint/weight_file.hpp"

namespace regroup::models {

/// A state dict as torch.save writes it since PyTorch 1.6 (`pytorch_model.bin`): a zip archive that
/// holds a pickle, `data.pkl`, and the tensors' memory in records of its own.
///
/// No code of the pickle is run; see read_state_dict. LibTorch's own unpickler is not used: it does
/// not read an OrderedDict, overflows the stack on values that are nested deeply, and would hold
/// all weights in memory. Here tensors are parts of the mapped file, also those that share their
/// memory, and only those that are not in row-major order are copies.
///
/// Opening checks as much as for a safetensors file: every tensor lies within its record, which is
/// as long as the pickle says. Views stay valid when the object is moved. Thread-safe for
/// concurrent use of const members.
class PickleFile : public WeightFile {
 public:
  /// Maps and checks the file, in O(n log n) of the number of tensors, and copies those in another
  /// order. Throws InputError: what read_zip_entries and read_state_dict refuse, the format from
  /// before PyTorch 1.6, big-endian numbers, tensors outside their records, and copies that would
  /// be larger than the file.
  explicit PickleFile(const std::filesystem::path& path);

 private:
  std::vector<std::vector<std::byte>> copies_;
};

}  // namespace regroup::models
