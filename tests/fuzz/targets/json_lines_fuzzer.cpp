// Documents, pairs and questions: JSON lines.

#include "models/files/json_lines.hpp"
#include "tests/fuzz/targets/fuzzed_input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return regroup::tests::read_or_refuse(data, size, [](const regroup::tests::FuzzedInput& input) {
    static_cast<void>(regroup::models::parse_json_lines(input.text(), "lines.jsonl"));
  });
}
