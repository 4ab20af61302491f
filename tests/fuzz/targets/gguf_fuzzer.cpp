// A GGUF file: as a checkpoint, as a model, and its tokenizer.

#include "models/checkpoint/gguf/gguf_header.hpp"
#include "models/pretrained/pretrained_model.hpp"
#include "models/text/gguf_tokenizer_files.hpp"
#include "tests/fuzz/targets/fuzzed_input.hpp"

using namespace regroup;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto read = [&](auto reader) { return tests::read_or_refuse(data, size, reader); };
  read([](const tests::FuzzedInput& input) {
    static_cast<void>(models::open_model(input.file("model.gguf")));
  });
  return read([](const tests::FuzzedInput& input) {
    const auto file = input.file("model.gguf");
    static_cast<void>(
        models::gguf_tokenizer_files(models::read_gguf_metadata(file), file.string()));
  });
}
