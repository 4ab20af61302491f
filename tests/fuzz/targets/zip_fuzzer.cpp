// pytorch_model.bin: a zip archive with a pickle and its tensors.

#include "models/checkpoint/pickle_file.hpp"
#include "tests/fuzz/targets/fuzzed_input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return regroup::tests::read_or_refuse(data, size, [](const regroup::tests::FuzzedInput& input) {
    const regroup::models::PickleFile file(input.file("pytorch_model.bin"));
    static_cast<void>(file.tensors().size());
  });
}
