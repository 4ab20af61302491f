#include "models/files/json_file.hpp"

#include <filesystem>
#include <string>

#include "models/files/json_fields.hpp"
#include "search/base/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/error_message.hpp"
#include "tests/support/temporary_directory.hpp"

namespace regroup::models {
namespace {

using nlohmann::json;
using tests::contains;
using tests::error_message;
using tests::TemporaryDirectory;

std::string json_refusal(const std::string& text, DuplicateKeys keys = DuplicateKeys::kLastWins) {
  return error_message<InputError>([&] { parse_json(text, "x.json", keys); });
}

TEST_CASE("a JSON file is read") {
  const TemporaryDirectory directory;
  const json value = read_json_file(directory.write("a.json", R"({"a": [1, 2.5, "é", null]})"));
  CHECK(value == json{{"a", {1, 2.5, "é", nullptr}}});
}

TEST_CASE("syntax errors say where") {
  const std::string message = json_refusal("{\n  \"a\": 1,\n  b\n}");
  CHECK_THAT(message, contains("not valid JSON"));
  CHECK_THAT(message, contains("x.json, line 3, column 3, byte 14"));
  CHECK_THAT(message, contains("expected: string literal"));
  CHECK_THAT(json_refusal(""), contains("line 1, column 1, byte 0"));
  CHECK_THAT(json_refusal("{} x"), contains("expected: end of input"));
  CHECK_THAT(json_refusal("[1,"), contains("unexpected end of input"));
  CHECK_THAT(json_refusal("[NaN]"), contains("invalid literal"));
  CHECK_THAT(json_refusal(std::string("[\0]", 3)), contains("not valid JSON"));
}

TEST_CASE("text that is no UTF-8 is refused, and not repeated") {
  const std::string message = json_refusal("[\"\xff\xfe\"]");
  CHECK_THAT(message, contains("ill-formed UTF-8"));
  CHECK(message.find('\xff') == std::string::npos);
  CHECK_THAT(json_refusal("[\"\xc0\x80\"]"), contains("ill-formed UTF-8"));
  CHECK_THAT(json_refusal("[\"\xed\xa0\x80\"]"), contains("ill-formed UTF-8"));
  CHECK_THAT(json_refusal("[\"\\ud800\"]"), contains("surrogate"));
}

TEST_CASE("a long bad token does not make a long message") {
  CHECK(json_refusal("[\"" + std::string(1'000'000, 'a')).size() < 500);
  CHECK(json_refusal(std::string(1'000'000, 'a')).size() < 500);
}

TEST_CASE("nesting is limited") {
  const auto nested = [](int levels) {
    const auto count = static_cast<std::size_t>(levels);
    return std::string(count, '[') + std::string(count, ']');
  };
  CHECK(parse_json(nested(kMaxJsonDepth), "x.json").is_array());
  CHECK_THAT(json_refusal(nested(kMaxJsonDepth + 1)), contains("nested too deeply"));
  CHECK_THAT(json_refusal(std::string(1'000'000, '[')), contains("nested too deeply"));
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += R"({"a":)";
  CHECK_THAT(json_refusal(objects), contains("nested too deeply"));
}

TEST_CASE("numbers beyond a double are refused") {
  CHECK_THAT(json_refusal("[1e999]"), contains("not usable JSON"));
  CHECK(parse_json("[1e300]", "x.json")[0] == 1e300);
}

TEST_CASE("duplicate keys are refused on request, at any depth") {
  CHECK(parse_json(R"({"a": 1, "a": 2})", "x.json") == json{{"a", 2}});
  CHECK_THAT(json_refusal(R"({"a": 1, "a": 2})", DuplicateKeys::kRefuse),
             contains("names a key twice"));
  CHECK_THAT(json_refusal(R"({"b": {"a": 1, "c": {}, "\u0061": 2}})", DuplicateKeys::kRefuse),
             contains("\"a\" again"));
  CHECK(json_refusal(R"({"a": {"a": 1}, "b": {"a": [{"a": 1}, {"a": 1}]}})",
                     DuplicateKeys::kRefuse) == "no error was thrown");
}

TEST_CASE("JSON files have a size limit") {
  const TemporaryDirectory directory;
  const auto path = directory.write("a.json", "{}");
  std::filesystem::resize_file(path, kMaxJsonBytes + 1);
  CHECK_THAT(error_message<InputError>([&] { read_json_file(path); }), contains("too large"));
  CHECK_THAT(error_message<InputError>([&] { read_json_file(directory.path() / "b.json"); }),
             contains("b.json"));
  CHECK_THAT(error_message<InputError>([&] { read_json_file(directory.path()); }),
             contains("a directory"));
}

TEST_CASE("values are described in a few words") {
  CHECK(describe_json(nullptr) == "null");
  CHECK(describe_json(true) == "true");
  CHECK(describe_json(2.5) == "2.5");
  CHECK(describe_json(json::array({1, 2})) == "an array of 2 values");
  CHECK(describe_json({{"a", 1}}) == "an object of 1 field");
  CHECK(describe_json(std::string(500, 'x')).size() < 150);
  CHECK(describe_json("a\x1b") == "\"a?\"");
}

// ---- fields ----

const json& fields() {
  static const json kObject = parse_json(
      R"({"layers": 12, "zero": 0, "negative": -3, "huge": 1e300, "bigger": 18446744073709551615,
          "fraction": 2.5, "whole": 8.0, "text": "abc", "yes": true, "nothing": null,
          "list": [1], "object": {"a": 1}})",
      "config.json");
  return kObject;
}

std::string int_refusal(const char* key) {
  return error_message<InputError>([&] { required_int(fields(), key, "config.json", 1, 1000); });
}

TEST_CASE("integer fields") {
  CHECK(required_int(fields(), "layers", "config.json", 12, 12) == 12);
  CHECK(required_int(fields(), "negative", "config.json", -3, 0) == -3);
  CHECK(optional_int(fields(), "layers", "config.json", 1, 1000) == 12);
  CHECK_FALSE(optional_int(fields(), "absent", "config.json", 1, 1000));
  CHECK_FALSE(optional_int(fields(), "nothing", "config.json", 1, 1000));
  CHECK(int_refusal("negative") ==
        "field has the wrong value\n  where: config.json, field \"negative\"\n"
        "  expected: an integer from 1 to 1000\n  found: -3");
  CHECK_THAT(int_refusal("zero"), contains("found: 0"));
  CHECK_THAT(int_refusal("huge"), contains("found: 1e+300"));
  CHECK_THAT(int_refusal("bigger"), contains("found: 18446744073709551615"));
  // Taken for a signed number it would be -1.
  CHECK_THAT(
      error_message<InputError>([] { required_int(fields(), "bigger", "config.json", -1, 1000); }),
      contains("found: 18446744073709551615"));
  CHECK_THAT(int_refusal("fraction"), contains("found: 2.5"));
  CHECK_THAT(int_refusal("whole"), contains("found: 8.0"));
  CHECK_THAT(int_refusal("text"), contains("found: \"abc\""));
  CHECK_THAT(int_refusal("yes"), contains("found: true"));
  CHECK_THAT(int_refusal("list"), contains("found: an array of 1 value"));
  CHECK_THAT(int_refusal("nothing"), contains("field is missing"));
  CHECK_THAT(int_refusal("nothing"), contains("found: null"));
  CHECK_THAT(int_refusal("absent"), contains("field \"absent\""));
  CHECK_THAT(
      error_message<InputError>([&] { optional_int(fields(), "text", "config.json", 1, 1000); }),
      contains("an integer from 1 to 1000"));
}

TEST_CASE("number fields") {
  CHECK(required_number(fields(), "fraction", "config.json") == 2.5);
  CHECK(required_number(fields(), "layers", "config.json", 0, 12) == 12.0);
  CHECK(optional_number(fields(), "huge", "config.json") == 1e300);
  CHECK_FALSE(optional_number(fields(), "absent", "config.json"));
  const auto refused = [](const char* key) {
    return error_message<InputError>([&] { required_number(fields(), key, "config.json", 0, 1); });
  };
  CHECK_THAT(refused("fraction"), contains("a number from 0 to 1"));
  CHECK_THAT(refused("negative"), contains("found: -3"));
  CHECK_THAT(refused("text"), contains("found: \"abc\""));
  CHECK_THAT(refused("nothing"), contains("field is missing"));
}

TEST_CASE("fields of other types") {
  CHECK(required_bool(fields(), "yes", "config.json"));
  CHECK(required_string(fields(), "text", "config.json") == "abc");
  CHECK(required_array(fields(), "list", "config.json").size() == 1);
  CHECK(required_object(fields(), "object", "config.json").size() == 1);
  CHECK(optional_bool(fields(), "yes", "config.json") == true);
  CHECK(optional_string(fields(), "text", "config.json") == "abc");
  CHECK(optional_array(fields(), "list", "config.json") != nullptr);
  CHECK(optional_object(fields(), "object", "config.json") != nullptr);
  CHECK_FALSE(optional_bool(fields(), "absent", "config.json"));
  CHECK_FALSE(optional_string(fields(), "nothing", "config.json"));
  CHECK(optional_array(fields(), "absent", "config.json") == nullptr);
  CHECK(optional_object(fields(), "absent", "config.json") == nullptr);
  CHECK_THAT(error_message<InputError>([] { required_bool(fields(), "layers", "config.json"); }),
             contains("expected: true or false"));
  CHECK_THAT(error_message<InputError>([] { optional_string(fields(), "yes", "config.json"); }),
             contains("expected: a string"));
  CHECK_THAT(error_message<InputError>([] { required_array(fields(), "object", "config.json"); }),
             contains("expected: an array"));
  CHECK_THAT(error_message<InputError>([] { optional_object(fields(), "list", "config.json"); }),
             contains("expected: an object"));
}

TEST_CASE("fields of what is no object") {
  for (const json& value : {json(3), json::array({1}), json("text"), json()}) {
    CHECK_THAT(error_message<InputError>([&] { required_int(value, "a", "config.json", 0, 1); }),
               contains("expected: an object"));
    CHECK_THAT(error_message<InputError>([&] { optional_string(value, "a", "config.json"); }),
               contains("where: config.json"));
  }
}

}  // namespace
}  // namespace regroup::models
