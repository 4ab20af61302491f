// The pickle of a state dict.

#include "models/checkpoint/pickle/state_dict.hpp"
#include "tests/fuzz/targets/fuzzed_input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return regroup::tests::read_or_refuse(data, size, [](const regroup::tests::FuzzedInput& input) {
    static_cast<void>(regroup::models::read_state_dict(input.bytes(), "data.pkl"));
  });
}
