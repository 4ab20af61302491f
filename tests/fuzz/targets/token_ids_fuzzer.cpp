// Token ids: .npy, and .bin with and without the header of llm.c.

#include "models/text/id_files.hpp"
#include "tests/fuzz/targets/fuzzed_input.hpp"

using namespace regroup;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tests::read_or_refuse(data, size, [](const tests::FuzzedInput& input) {
    static_cast<void>(models::read_npy_ids(input.bytes(), "ids.npy"));
  });
  return tests::read_or_refuse(data, size, [](const tests::FuzzedInput& input) {
    static_cast<void>(models::read_bin_ids(input.bytes(), 50000, "ids.bin"));
  });
}
