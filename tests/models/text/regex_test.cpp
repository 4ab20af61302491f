#include "models/text/pipeline/regex.hpp"

#include "search/base/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/error_message.hpp"

namespace regroup::models {
namespace {

using tests::contains;
using tests::error_message;

/// The matches of an expression of a tokenizer.json.
std::vector<std::string> matches(const std::string& expression, const std::string& text) {
  std::vector<std::string> found;
  const Regex regex = Regex::compiled(pcre2_from_oniguruma(expression, "x"), "x");
  regex.for_each_match(text, [&](std::size_t begin, std::size_t end) {
    found.push_back(text.substr(begin, end - begin));
  });
  return found;
}

std::string expression_refusal(const std::string& expression) {
  return error_message<InputError>([&] { matches(expression, "text"); });
}

}  // namespace

TEST_CASE("expressions match whole characters by their Unicode properties") {
  CHECK(matches(R"(\p{L}+)", "naïve 你好1") == std::vector<std::string>{"naïve", "你好"});
  CHECK(matches(R"([^\s\p{L}]+)", "a🙂!b") == std::vector<std::string>{"🙂!"});
  CHECK(matches(R"((?i:'s))", "'S's'\u017f") == std::vector<std::string>{"'S", "'s", "'\u017f"});
  CHECK(matches(R"([]a]+)", "x]a]") == std::vector<std::string>{"]a]"});
}

TEST_CASE("white space is what Unicode says, not what Perl says") {
  CHECK(matches(R"(\s+)", "a\u00a0\u2003b\u0085c") ==
        std::vector<std::string>{"\u00a0\u2003", "\u0085"});
  CHECK(matches(R"(\s)", "\u180e\u200b\x1c").empty());
  CHECK(matches(R"(\S+)", "a\u180e b") == std::vector<std::string>{"a\u180e", "b"});
}

TEST_CASE("words and hexadecimal digits are what Oniguruma says") {
  CHECK(matches(R"(\w+)", "a_1\u00e9 \u2167\u00bd-e\u0301\u2160") ==
        std::vector<std::string>{"a_1\u00e9", "\u2167\u00bd", "e\u0301\u2160"});
  CHECK(matches(R"([\w.]+)", "a.b c") == std::vector<std::string>{"a.b", "c"});
  CHECK(matches(R"(\W+)", "a -b") == std::vector<std::string>{" -"});
  CHECK(matches(R"(\b\w)", "ab cd\u0301e") == std::vector<std::string>{"a", "c"});
  CHECK(matches(R"(\h+)", "xaF9g") == std::vector<std::string>{"aF9"});
}

TEST_CASE("empty matches move on by one character") {
  CHECK(matches(R"(x*)", "äxb") == std::vector<std::string>{"", "x", ""});
}

TEST_CASE("what the two syntaxes read differently is refused") {
  for (const char* expression : {R"(\Bx)", R"([\W])", R"([\b])", R"([a[bc]])", R"([a-z&&b])",
                                 R"(\p{N}{1,3}+)", R"((a)\1)"}) {
    CAPTURE(expression);
    CHECK_THAT(expression_refusal(expression), contains("not supported"));
    CHECK_THAT(expression_refusal(expression), contains(".npy"));
  }
  CHECK(matches(R"(\p{N}+)", "12a").size() == 1);
}

TEST_CASE("broken expressions are refused") {
  for (const char* expression : {"(", "[a", "a{2,1}", "\\p{Nonsense}", "\\", "\\p{L"}) {
    CAPTURE(expression);
    CHECK_THAT(expression_refusal(expression), contains("regular expression of the tokenizer"));
  }
}

TEST_CASE("long runs are matched, endless searches are not") {
  const std::string spaces(3'000'000, ' ');
  CHECK(matches(R"(\s*[\r\n]+|\s+(?!\S)|\s+)", spaces + "x").size() == 2);
  CHECK_THAT(error_message<InputError>([] { matches("(a+)+[bc]", std::string(60, 'a') + "d"); }),
             contains("cannot be cut"));
}

}  // namespace regroup::models
