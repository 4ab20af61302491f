// tokenizer.json: read, and what is read can encode and decode.

#include "models/text/make_tokenizer.hpp"
#include "models/text/tokenizer.hpp"
#include "tests/fuzz/targets/fuzzed_input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return regroup::tests::read_or_refuse(data, size, [](const regroup::tests::FuzzedInput& input) {
    const auto tokenizer =
        regroup::models::load_tokenizer(input.file("tokenizer.json").parent_path());
    const auto ids = tokenizer->encode("the thing, na\u00efve 12 <|end|>", true);
    static_cast<void>(tokenizer->decode(ids));
  });
}
