// tokenizer.model: a SentencePiece model, or tiktoken's text.

#include "models/text/make_tokenizer.hpp"
#include "models/text/tokenizer.hpp"
#include "tests/fuzz/targets/fuzzed_input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return regroup::tests::read_or_refuse(data, size, [](const regroup::tests::FuzzedInput& input) {
    const auto tokenizer =
        regroup::models::load_tokenizer(input.file("tokenizer.model").parent_path());
    const auto ids = tokenizer->encode("the thing, na\u00efve 12", true);
    static_cast<void>(tokenizer->decode(ids));
  });
}
