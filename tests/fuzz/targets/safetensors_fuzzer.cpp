// A .safetensors file: its header and the places of its tensors.

#include "models/checkpoint/safetensors.hpp"
#include "tests/fuzz/targets/fuzzed_input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return regroup::tests::read_or_refuse(data, size, [](const regroup::tests::FuzzedInput& input) {
    const regroup::models::SafetensorsFile file(input.file("model.safetensors"));
    std::size_t bytes = 0;
    for (const auto& tensor : file.tensors()) bytes += tensor.bytes.size();
    if (bytes > input.bytes().size() * file.tensors().size()) __builtin_trap();
  });
}
