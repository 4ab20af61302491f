// config.json, by the family that it names.

#include "models/pretrained/pretrained_model.hpp"
#include "tests/fuzz/targets/fuzzed_input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return regroup::tests::read_or_refuse(data, size, [](const regroup::tests::FuzzedInput& input) {
    static_cast<void>(regroup::models::open_model(input.file("config.json").parent_path()));
  });
}

/// Weights that hardly any config fits: what is read is the config.
extern "C" int LLVMFuzzerInitialize(int*, char***) {
  const std::string header = "{}      ";
  std::ofstream stream(regroup::tests::FuzzedInput::folder() / "model.safetensors",
                       std::ios::binary);
  const std::uint64_t length = header.size();
  stream.write(reinterpret_cast<const char*>(&length), sizeof length);
  stream << header;
  return 0;
}
