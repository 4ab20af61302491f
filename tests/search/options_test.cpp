// One entry of a table gives an option its field, default, limits, names and key.

#include "search/base/options.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "search/base/error.hpp"
#include "search/methods/method_table.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/error_message.hpp"

using namespace regroup;
using namespace regroup::search;
using namespace regroup::tests;

namespace {

enum class Colour { kRed, kBlue };
constexpr std::array kColours = {Named<Colour>{"red", Colour::kRed},
                                 Named<Colour>{"blue", Colour::kBlue}};

/// A part with options of every kind.
struct Part {
  int count = 3;
  double share = 0.25;
  double time = 0;
  bool loud = false;
  Colour colour = Colour::kBlue;
  std::optional<Colour> trim;
  std::vector<double> sizes;
  std::string note;

  std::vector<Option> options() {
    return {{"--count", "count", "N", "How many", NumberField<int>{&count, 1, 9}},
            {"--share", "share", "P", "How much", NumberField<double>{&share, 0, 1}},
            {"--time", "time", "S", "How long", NumberField<double>{&time, 0, kFinite}},
            {"--loud", "loud", "", "Whether", &loud},
            {"--colour", "colour", "", "Which", names_of(colour, kColours)},
            {.flag = "--trim",
             .key = "trim",
             .help = "Which else",
             .field = names_of(trim, kColours),
             .refusal = "trim is not known"},
            {"--sizes", "sizes", "", "Of what size", &sizes},
            {"--note", "note", "", "Words",
             TextField{[this](const std::string& text) { note = text; }, [this] { return note; }}}};
  }
};

std::string refused(Part& part, std::string_view flag, const OptionValue& value) {
  return error_message<InputError>([&] {
    set(part.options(), flag, value);
    require_in_range(part.options());
  });
}

}  // namespace

TEST_CASE("an option holds its default until it is set, and then what it is set to") {
  Part part;
  const std::vector<Option> options = part.options();
  CHECK(value_of(options[0]) == OptionValue(3));
  CHECK(value_of(options[4]) == OptionValue(std::string("blue")));
  CHECK(value_of(options[5]) == std::nullopt);  // left open
  set(options, "--count", 7);
  set(options, "--share", 0.5);
  set(options, "--loud", true);
  set(options, "--colour", std::string("red"));
  set(options, "--trim", std::string("blue"));
  set(options, "--sizes", std::vector<double>{2, 1});
  set(options, "--note", std::string("words"));
  CHECK(part.count == 7);
  CHECK(part.share == 0.5);
  CHECK(part.loud);
  CHECK(part.colour == Colour::kRed);
  CHECK(part.trim == Colour::kBlue);
  CHECK(part.sizes == std::vector<double>{2, 1});
  CHECK(part.note == "words");
  CHECK(value_of(options[5]) == OptionValue(std::string("blue")));
  require_in_range(options);
}

TEST_CASE("a value that an option cannot hold is refused with its name, its limits and the value") {
  Part part;
  const std::string above = refused(part, "--count", 10);
  CHECK_THAT(above, contains("option is out of range"));
  CHECK_THAT(above, contains("--count"));
  CHECK_THAT(above, contains("1 to 9"));
  CHECK_THAT(above, contains("10"));
  CHECK_THAT(refused(part, "--count", 0), contains("--count"));
  part.count = 1;
  CHECK_THAT(refused(part, "--share", 1.5), contains("0 to 1"));
  CHECK_THAT(refused(part, "--share", std::nan("")), contains("--share"));
  part.share = 1;
  CHECK_THAT(refused(part, "--time", -1.0), contains("0 or more"));
  CHECK_THAT(refused(part, "--time", HUGE_VAL), contains("--time"));
  part.time = 1e300;
  require_in_range(part.options());
  CHECK_THAT(refused(part, "--colour", std::string("green")), contains("one of red, blue"));
  CHECK_THAT(refused(part, "--colour", std::string("green")), contains("--colour"));
  CHECK_THAT(refused(part, "--trim", std::string("green")), contains("trim is not known"));
  CHECK(part.colour == Colour::kBlue);
}

TEST_CASE("an unknown flag, and a value of another type, are faults of the program") {
  Part part;
  CHECK_THROWS_AS(set(part.options(), "--size", 1), WorkError);
  CHECK_THROWS_AS(set(part.options(), "--count", 1.0), WorkError);
}

TEST_CASE("an option that two parts have is one, and fills both") {
  Part a, b;
  std::vector<Option> options = a.options();
  add_options(options, b.options());
  CHECK(options.size() == a.options().size());
  set(options, "--count", 5);
  set(options, "--colour", std::string("red"));
  CHECK(a.count == 5);
  CHECK(b.count == 5);
  CHECK(b.colour == Colour::kRed);
  Part other;
  other.count = 4;  // another default
  CHECK_THROWS_AS(add_options(options, other.options()), WorkError);
}

TEST_CASE(
    "methods tell their options: each flag and key once, with help, a default within limits") {
  const auto methods = make_methods();
  const std::vector<Option> options = method_options(methods);
  std::set<std::string> flags, keys;
  for (const Option& option : options) {
    CAPTURE(option.flag);
    CHECK(option.flag.starts_with("--"));
    CHECK_FALSE(option.help.empty());
    CHECK(flags.insert(option.flag).second);
    CHECK(keys.insert(option.key).second);
    CHECK(value_of(option).has_value());
    require_in_range(option);
  }
  std::size_t own = 0;
  for (const auto& method : methods) {
    for (const Option& option : method->options()) CHECK(flags.contains(option.flag));
    own += method->options().size();
  }
  CHECK(own > options.size());  // --population and others are of several methods
}

TEST_CASE("the table makes every method that it names, and no other") {
  std::set<std::string_view> names, files;
  for (const std::string_view name : method_names()) {
    CHECK(make_method(name)->name() == name);
    CHECK(names.insert(name).second);
    CHECK(files.insert(make_method(name)->file_name()).second);
  }
  CHECK(names.size() == make_methods().size());
  CHECK_THAT(error_message<InputError>([] { make_method("magic"); }), contains("qcqa"));
}
