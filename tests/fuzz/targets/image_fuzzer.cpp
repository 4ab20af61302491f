// JPEG and PNG images.

#include "models/images/decode_image.hpp"
#include "tests/fuzz/targets/fuzzed_input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return regroup::tests::read_or_refuse(data, size, [](const regroup::tests::FuzzedInput& input) {
    static_cast<void>(regroup::models::decode_image(input.bytes(), "image"));
  });
}
