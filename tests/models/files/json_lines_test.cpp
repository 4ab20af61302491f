#include "models/files/json_lines.hpp"

#include "models/files/json_fields.hpp"
#include "search/base/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/error_message.hpp"

using namespace regroup;
using namespace regroup::models;
using namespace regroup::tests;

namespace {

std::string lines_refusal(const std::string& text) {
  return error_message<InputError>([&] { parse_json_lines(text, "x.jsonl"); });
}

}  // namespace

TEST_CASE("JSON lines are read with their numbers") {
  const auto lines = parse_json_lines("{\"a\": 1}\n\n \t\r\n{\"a\": 2}\r\n{\"a\": 3}", "x.jsonl");
  REQUIRE(lines.size() == 3);
  CHECK(lines[1].value["a"] == 2);
  CHECK(lines[0].where == "x.jsonl, line 1");
  CHECK(lines[1].where == "x.jsonl, line 4");
  CHECK(lines[2].where == "x.jsonl, line 5");
  CHECK(parse_json_lines("", "x.jsonl").empty());
  CHECK(parse_json_lines("\n\n", "x.jsonl").empty());
}

TEST_CASE("broken JSON lines are refused by number and column") {
  CHECK_THAT(lines_refusal("{}\n{\"a\": b}\n"), contains("where: x.jsonl, line 2, column 7"));
  CHECK_THAT(lines_refusal("{}\n{\"a\":\n1}"), contains("x.jsonl, line 2, column 6"));
  CHECK_THAT(lines_refusal("{}\n[1]\n"), contains("x.jsonl, line 2\n  expected: an object"));
  CHECK_THAT(lines_refusal("{}\n{\"a\": \"\xff\"}"), contains("x.jsonl, line 2"));
  CHECK_THAT(lines_refusal("{} {}"), contains("x.jsonl, line 1"));
}

TEST_CASE("an array of strings is read, another one refused") {
  const nlohmann::json object = {
      {"good", {"a", "b"}}, {"none", nlohmann::json::array()}, {"bad", {"a", 1}}, {"text", "a"}};
  CHECK(required_strings(object, "good", "x") == std::vector<std::string>{"a", "b"});
  CHECK(required_strings(object, "none", "x").empty());
  const auto refused = [&](const char* key) {
    return error_message<InputError>([&] { required_strings(object, key, "x"); });
  };
  CHECK_THAT(refused("bad"), contains("x, field \"bad\", element 1"));
  CHECK_THAT(refused("bad"), contains("expected: a string"));
  CHECK_THAT(refused("text"), contains("an array"));
  CHECK_THAT(refused("absent"), contains("missing"));
}
