// A table of options on a command line: one entry is flag, unit, help, default, and the field that
// is filled.

#include "apps/option_declaration.hpp"

#include "runs/plan/option_record.hpp"
#include "search/base/error.hpp"
#include "tests/support/catch.hpp"

using namespace regroup;
using search::Named;
using search::NumberField;
using search::Option;
using tests::contains;

namespace {

enum class Colour { kRed, kBlue };
constexpr std::array kColours = {Named<Colour>{"red", Colour::kRed},
                                 Named<Colour>{"blue", Colour::kBlue}};

/// A part with options of several kinds, and a command that has them.
struct Scene {
  int count = 3;
  double share = 0.25;
  bool loud = false;
  Colour colour = Colour::kBlue;
  std::vector<double> sizes;
  std::vector<std::filesystem::path> files;
  CLI::App command{"A command"};

  Scene() { apps::declare_options(options(), command); }

  std::vector<Option> options() {
    return {{"--count", "count", "N", "How many", NumberField<int>{&count, 1, 9}},
            {"--share", "share", "P", "How much", NumberField<double>{&share, 0, 1}},
            {"--loud", "loud", "", "Whether", &loud},
            {"--colour", "colour", "", "Which", search::names_of(colour, kColours)},
            {"--sizes", "sizes", "SIZE,…", "Of what size", &sizes},
            {.flag = "--file", .unit = "FILE", .help = "Of what", .field = &files}};
  }
  void parse(const std::string& arguments) { command.parse(arguments); }
};

}  // namespace

TEST_CASE("help shows each option of a table with its unit, its help and its default") {
  Scene scene;
  const std::string help = scene.command.help();
  for (const Option& option : scene.options()) {
    CHECK_THAT(help, contains(option.flag));
    CHECK_THAT(help, contains(option.help));
  }
  // CLI11 writes a default as "=3" or "[3]", by its version.
  const auto line = [&](const std::string& flag) {
    const std::size_t begin = help.find(flag);
    return help.substr(begin, help.find('\n', begin) - begin);
  };
  CHECK_THAT(line("--count"), contains("N") && contains("3"));
  CHECK_THAT(line("--share"), contains("P") && contains("0.25"));
  CHECK_THAT(line("--colour"), contains("blue"));
  CHECK_THAT(help, contains("--sizes SIZE,…"));
}

TEST_CASE("what is given fills the fields, and the record says it") {
  Scene scene;
  scene.parse("--count 5 --sizes 2,1 --loud --colour red --file a,b --file c");
  CHECK(scene.count == 5);
  CHECK(scene.share == 0.25);
  CHECK(scene.loud);
  CHECK(scene.colour == Colour::kRed);
  CHECK(scene.sizes == std::vector<double>{2, 1});
  CHECK(scene.files == std::vector<std::filesystem::path>{"a,b", "c"});
  CHECK(runs::option_record(scene.options()).dump() ==
        R"({"count":5,"share":0.25,"loud":true,"colour":"red","sizes":[2.0,1.0]})");
}

TEST_CASE("what an option cannot hold is refused: no number, no name of its own") {
  Scene scene;
  CHECK_THROWS_AS(scene.parse("--count many"), CLI::ParseError);
  CHECK_THROWS_AS(scene.parse("--sizes 1,x"), CLI::ParseError);
  CHECK_THROWS_AS(scene.parse("--colour green"), InputError);
  CHECK_THROWS_AS(scene.parse("--unknown"), CLI::ParseError);
}
