#include <random>
#include <string>

#include "models/grouping/formats/grouping_format.hpp"
#include "search/base/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

// Broken files of other tools: the reader gives a grouping or throws InputError.
namespace regroup::models {
namespace {

using Random = std::mt19937_64;

/// Changes a few bytes to others that such files hold, and now and then drops or doubles a part.
std::string mutated(std::string text, Random& random) {
  constexpr std::string_view kBytes = "0123456789,[]{}\"LH-.e\n\r \xff";
  for (std::size_t n = random() % 3; n > 0; --n) {
    text[random() % text.size()] = kBytes[random() % kBytes.size()];
  }
  const std::size_t at = random() % text.size();
  const std::size_t length = 1 + random() % 20;
  if (random() % 4 == 0) text.erase(at, length);
  if (random() % 4 == 0 && at < text.size()) text.insert(at, text.substr(at, length));
  return text.empty() ? "0" : text;
}

/// True if the file was read.
bool reads(const GroupingFormat& format, const std::filesystem::path& file) {
  try {
    const search::Grouping grouping = format.read(file, {});
    CHECK(grouping.kv_ratio() > 0);
    return true;
  } catch (const InputError& error) {
    CHECK(error.parts().where.find(file.string()) != std::string::npos);
    return false;
  }
}

}  // namespace

TEST_CASE("mutated groupings of other tools are read or refused") {
  const search::Partition pairs = search::Partition::parse("0 1 | 2 3 | 4 5 | 6 7");
  const tests::TemporaryDirectory scratch;
  Random random(3);
  for (const char* name : {"chai", "block-configs", "csv"}) {
    const GroupingFormat& format = find_grouping_format(name);
    const auto files = format.write(search::Grouping::uniform(3, pairs), {3, 8, 8});
    int read = 0;
    for (int round = 0; round < 400; ++round) {
      CAPTURE(name, round);
      read += reads(format, scratch.write("g", mutated(files[0].text, random))) ? 1 : 0;
    }
    CAPTURE(name, read);
    CHECK(read > 20);
    CHECK(read < 380);
  }
}

}  // namespace regroup::models
