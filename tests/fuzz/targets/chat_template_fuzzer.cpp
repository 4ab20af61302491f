// A chat template: what it makes of a conversation.

#include "models/text/chat/chat_template.hpp"
#include "tests/fuzz/targets/fuzzed_input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return regroup::tests::read_or_refuse(data, size, [](const regroup::tests::FuzzedInput& input) {
    static_cast<void>(regroup::models::apply_chat_template(
        input.text(), {{"system", "Be brief."}, {"user", "Why?"}}, {{"bos_token", "<s>"}}));
  });
}
