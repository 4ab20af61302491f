#include "models/text/chat/chat_template.hpp"

#include <map>

#include "models/files/printable.hpp"
#include "models/text/chat/lexer.hpp"
#include "models/text/chat/operations.hpp"
#include "models/text/chat/parser.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

using chat::Arguments;
using chat::Callable;
using chat::Dict;
using chat::List;
using chat::Value;

Value make_dict(const Arguments& arguments, bool is_namespace) {
  Dict dict;
  if (!arguments.values.empty() && arguments.values[0].dict() != nullptr) {
    dict.entries = arguments.values[0].dict()->entries;
  }
  for (const auto& [name, value] : arguments.named) dict.set(name, value);
  dict.is_namespace = is_namespace;
  return dict;
}

/// Python's range.
Value make_range(const Arguments& arguments) {
  constexpr std::size_t kMost = 100'000;
  const auto argument = [&](std::size_t i, std::int64_t usual) {
    const Value value = arguments.get(i, "");
    return value.integer() == nullptr ? usual : *value.integer();
  };
  const bool one = arguments.values.size() < 2;
  const std::int64_t begin = one ? 0 : argument(0, 0);
  const std::int64_t end = one ? argument(0, 0) : argument(1, 0);
  const std::int64_t step = argument(2, 1);
  List numbers;
  for (std::int64_t i = begin; step > 0 ? i < end : (step < 0 && i > end);) {
    numbers.push_back(i);
    if (numbers.size() > kMost) {
      throw InputError({.what = "chat template cannot be applied",
                        .where = "chat template",
                        .expected = "a range of at most 100000 numbers"});
    }
    if (__builtin_add_overflow(i, step, &i)) break;
  }
  return numbers;
}

std::map<std::string, Value> globals() {
  return {
      {"namespace", Callable{"namespace", [](const Arguments& a) { return make_dict(a, true); }}},
      {"dict", Callable{"dict", [](const Arguments& a) { return make_dict(a, false); }}},
      {"range", Callable{"range", make_range}},
      {"raise_exception", Callable{"raise_exception",
                                   [](const Arguments& a) -> Value {
                                     throw InputError(
                                         {.what = "chat template refuses the conversation",
                                          .where = "chat template",
                                          .found = printable(a.get(0, "message").str())});
                                   }}},
      {"strftime_now", Callable{"strftime_now",
                                [](const Arguments&) -> Value {
                                  throw InputError(
                                      {.what = "chat template is not supported",
                                       .where = "chat template",
                                       .expected = "a text that does not depend on the day",
                                       .found = "strftime_now"});
                                }}},
      {"tools", Value::None{}},
      {"documents", Value::None{}},
      {"add_generation_prompt", true}};
}

}  // namespace

std::string apply_chat_template(
    std::string_view source, const std::vector<ChatMessage>& messages,
    const std::vector<std::pair<std::string, std::string>>& special_tokens) {
  const chat::Block block = chat::parse_template(source);
  std::map<std::string, Value> variables = globals();
  for (const auto& [name, text] : special_tokens) variables[name] = text;
  List list;
  for (const ChatMessage& message : messages) {
    Dict entry;
    entry.set("role", message.role);
    entry.set("content", message.content);
    list.push_back(std::move(entry));
  }
  variables["messages"] = std::move(list);
  chat::Scope scope(std::move(variables));
  std::string text;
  chat::run(block, scope, text);
  return text;
}

}  // namespace regroup::models
