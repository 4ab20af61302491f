// Grouping JSON, versions 1 and 2, for a model; and the forms of other tools.

#include <optional>

#include "models/grouping/formats/grouping_format.hpp"
#include "models/grouping/grouping_file.hpp"
#include "tests/fuzz/targets/fuzzed_input.hpp"

using namespace regroup;

namespace {

const models::PretrainedModel& model() {
  static const auto opened = models::open_model(REGROUP_SOURCE_DIR "/examples/demo-llama");
  return opened;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  for (const std::string_view name : models::grouping_format_names()) {
    tests::read_or_refuse(data, size, [&](const tests::FuzzedInput& input) {
      static_cast<void>(models::find_grouping_format(name).read(input.file("other"), std::nullopt));
    });
  }
  return tests::read_or_refuse(data, size, [](const tests::FuzzedInput& input) {
    static_cast<void>(models::read_grouping_file(input.file("grouping.json"), model()));
  });
}
