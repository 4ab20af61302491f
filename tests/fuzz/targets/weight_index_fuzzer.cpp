// model.safetensors.index.json

#include "models/checkpoint/weight_index.hpp"
#include "tests/fuzz/targets/fuzzed_input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return regroup::tests::read_or_refuse(data, size, [](const regroup::tests::FuzzedInput& input) {
    const auto map = regroup::models::read_weight_index(input.file("model.safetensors.index.json"));
    static_cast<void>(regroup::models::shard_names(map));
  });
}
