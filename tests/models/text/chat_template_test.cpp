// Chat templates against Jinja itself (chat_goldens/make.py), and what is refused.

#include "models/text/chat/chat_template.hpp"
#include "models/files/json_file.hpp"
#include "search/base/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/error_message.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::models;
using namespace regroup::tests;
using nlohmann::json;

namespace {

std::string applied(const std::string& source) {
  return apply_chat_template(source, {{"user", "hi"}}, {{"bos_token", "<s>"}});
}

std::string template_refusal(const std::string& source) {
  return error_message<InputError>([&] { applied(source); });
}

}  // namespace

TEST_CASE("templates in the styles of published models give what Jinja gives") {
  const json goldens = read_json_file(source_folder() / "tests/models/text/chat_goldens/chat.json");
  std::vector<std::pair<std::string, std::string>> special;
  for (const auto& [name, token] : goldens.at("special").items()) special.emplace_back(name, token);
  int texts = 0;
  int refused = 0;
  for (const json& entry : goldens.at("cases")) {
    const std::string name = entry.at("template");
    const std::string source = goldens.at("templates").at(name);
    std::vector<ChatMessage> messages;
    for (const json& message : entry.at("messages")) {
      messages.push_back({message.at("role"), message.at("content")});
    }
    CAPTURE(name, entry.at("messages").dump());
    if (entry.contains("text")) {
      CHECK(apply_chat_template(source, messages, special) == entry["text"].get<std::string>());
      ++texts;
    } else {
      CHECK_THAT(error_message<InputError>([&] { apply_chat_template(source, messages, special); }),
                 contains("refuses the conversation"));
      ++refused;
    }
  }
  CHECK(texts > 50);
  CHECK(refused > 5);
}

TEST_CASE("a construct of a template that is not supported is named, with its line") {
  CHECK_THAT(template_refusal("a\n{% include 'x' %}"), contains("{% include %}"));
  CHECK_THAT(template_refusal("a\n{% include 'x' %}"), contains("line 2"));
  CHECK_THAT(template_refusal("{{ 'a' | sha }}"), contains("filter sha"));
  CHECK_THAT(template_refusal("{{ 'a' is blue }}"), contains("test blue"));
  CHECK_THAT(template_refusal("{{ strftime_now('%d') }}"), contains("strftime_now"));
  CHECK_THAT(template_refusal("{{ 'a'.encode() }}"), contains("encode"));
  CHECK_THAT(template_refusal("{{ messages.append(1) }}"), contains("append"));
  CHECK_THAT(template_refusal("{% raw %}x{% endraw %}"), contains("raw"));
  CHECK_THAT(template_refusal("{{ raise_exception('no') }}"), contains("no"));
}

TEST_CASE("broken templates are refused") {
  for (const char* source :
       {"{{",
        "{{ 1",
        "{% if %}",
        "{% if true %}",
        "{% for x %}{% endfor %}",
        "{{ 'a }}",
        "{# x",
        "{{ 1 + }}",
        "{{ (1 }}",
        "{{ [1 }}",
        "{{ {'a': } }}",
        "{% endif %}",
        "{{ ? }}",
        "{% set %}",
        "{{ 1 + 'a' }}",
        "{{ x.y }}",
        "{{ 1 / 0 }}",
        "{{ 99999999999999999999 }}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{{ 'a' * 10000000000 }}",
        "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}"}) {
    CAPTURE(source);
    CHECK_FALSE(template_refusal(source).empty());
  }
  CHECK_THAT(template_refusal("{{ " + std::string(100'000, '(') + " }}"), contains("less deep"));
}

TEST_CASE("the template of a directory: its own file, or one of a list") {
  const TemporaryDirectory scratch;
  const std::vector<ChatMessage> messages = {{"user", "hi"}};
  CHECK_THAT(error_message<InputError>([&] { chat_text(scratch.path(), messages); }),
             contains("no chat template"));
  scratch.write("tokenizer_config.json", R"({
      "bos_token": {"content": "<s>"},
      "chat_template": [{"name": "rag", "template": "R"},
                        {"name": "default", "template": "{{ bos_token }}D{{ messages[0].content }}"}]})");
  CHECK(chat_text(scratch.path(), messages) == "<s>Dhi");
  scratch.write("chat_template.jinja", "J{{ add_generation_prompt }}");
  CHECK(chat_text(scratch.path(), messages) == "JTrue");
}

TEST_CASE("a template's special tokens are those that the tokenizer has") {
  const TemporaryDirectory scratch;
  const auto text = [&] { return chat_text(scratch.path(), {{"user", "hi"}}); };
  scratch.write("chat_template.jinja", "{{ bos_token }}{{ messages[0].content }}{{ eos_token }}");
  scratch.write("special_tokens_map.json",
                R"({"bos_token": "<m>", "eos_token": {"content": "</m>"}})");
  CHECK(text() == "<m>hi</m>");
  scratch.write("tokenizer_config.json", R"({"bos_token": "<c>"})");
  CHECK(text() == "<m>hi</m>");
  scratch.write("tokenizer_config.json", R"({"bos_token": "<c>", "added_tokens_decoder": {}})");
  CHECK(text() == "<c>hi");
}
