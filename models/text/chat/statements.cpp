#include "models/text/chat/statements.hpp"

#include <algorithm>
#include <memory>

#include "models/text/chat/lexer.hpp"
#include "models/text/chat/operations.hpp"

namespace regroup::models::chat {
namespace {

/// A statement that a function runs.
template <class Run>
class Running : public Statement {
 public:
  explicit Running(Run run) : run_(std::move(run)) {}
  Flow run(Scope& scope, std::string& out) const override {
    scope.count();
    return run_(scope, out);
  }

 private:
  Run run_;
};

template <class Run>
StatementPtr running(Run run) {
  return std::make_unique<Running<Run>>(std::move(run));
}

/// Sets one name to a value, or several to the elements of a list.
void assign(const std::vector<std::string>& names, const Value& value, Scope& scope, int line) {
  if (names.size() == 1) return scope.set(names[0], value);
  if (value.list() == nullptr || value.list()->size() != names.size()) {
    refuse_template(line, "chat template cannot be applied",
                    "a list of " + std::to_string(names.size()) + " values", value.type());
  }
  for (std::size_t i = 0; i < names.size(); ++i) scope.set(names[i], (*value.list())[i]);
}

/// The variable `loop`.
Value loop_variable(const List& elements, std::size_t i) {
  const auto index = static_cast<std::int64_t>(i);
  const auto size = static_cast<std::int64_t>(elements.size());
  Dict loop;
  loop.set("index", index + 1);
  loop.set("index0", index);
  loop.set("revindex", size - index);
  loop.set("revindex0", size - index - 1);
  loop.set("first", index == 0);
  loop.set("last", index + 1 == size);
  loop.set("length", size);
  loop.set("previtem", i > 0 ? elements[i - 1] : Value());
  loop.set("nextitem", i + 1 < elements.size() ? elements[i + 1] : Value());
  return loop;
}

List selected_elements(const Loop& loop, Scope& scope) {
  List elements = elements_of(loop.elements->evaluate(scope), loop.line);
  scope.count(elements.size());
  if (!loop.condition) return elements;
  List kept;
  scope.enter();
  for (const Value& element : elements) {
    assign(loop.names, element, scope, loop.line);
    if (loop.condition->evaluate(scope).truth()) kept.push_back(element);
  }
  scope.leave();
  return kept;
}

Flow run_loop(const Loop& loop, Scope& scope, std::string& out) {
  const List elements = selected_elements(loop, scope);
  if (elements.empty()) return run(loop.otherwise, scope, out);
  constexpr std::size_t kStepsOfRound = 20;  // the variable `loop` is made anew
  for (std::size_t i = 0; i < elements.size(); ++i) {
    scope.count(kStepsOfRound);
    scope.enter();
    assign(loop.names, elements[i], scope, loop.line);
    scope.set("loop", loop_variable(elements, i));
    const Flow flow = run(loop.body, scope, out);
    scope.leave();
    if (flow == Flow::kBreak) break;
  }
  return Flow::kGoOn;
}

/// Runs a macro's body with its arguments; of the variables around it it sees the outermost.
std::string call_macro(const Macro& macro, const Arguments& arguments, Scope& scope) {
  const auto others = scope.leave_all_but_globals();
  scope.enter();
  if (arguments.values.size() > macro.parameters.size()) {
    refuse_template(macro.line, "chat template cannot be applied",
                    std::to_string(macro.parameters.size()) + " arguments of " + macro.name,
                    std::to_string(arguments.values.size()));
  }
  for (std::size_t i = 0; i < macro.parameters.size(); ++i) {
    const auto& [name, usual] = macro.parameters[i];
    Value value = arguments.get(i, name);
    if (value.is_undefined() && usual) value = usual->evaluate(scope);
    scope.set(name, value);
  }
  std::string text;
  run(macro.body, scope, text);
  scope.put_back(others);
  return text;
}

}  // namespace

Flow run(const Block& block, Scope& scope, std::string& out) {
  for (const StatementPtr& statement : block) {
    const Flow flow = statement->run(scope, out);
    if (flow != Flow::kGoOn) return flow;
  }
  return Flow::kGoOn;
}

StatementPtr text_statement(std::string text) {
  return running([text = std::move(text)](Scope& scope, std::string& out) {
    scope.count(text.size());
    out += text;
    return Flow::kGoOn;
  });
}

StatementPtr print_statement(ExpressionPtr value) {
  return running([value = std::move(value)](Scope& scope, std::string& out) {
    const std::string text = value->evaluate(scope).str();
    scope.count(text.size());
    out += text;
    return Flow::kGoOn;
  });
}

StatementPtr if_statement(std::vector<std::pair<ExpressionPtr, Block>> branches) {
  return running([branches = std::move(branches)](Scope& scope, std::string& out) {
    for (const auto& [condition, block] : branches) {
      if (!condition || condition->evaluate(scope).truth()) return run(block, scope, out);
    }
    return Flow::kGoOn;
  });
}

StatementPtr for_statement(Loop loop) {
  return running([loop = std::move(loop)](Scope& scope, std::string& out) {
    return run_loop(loop, scope, out);
  });
}

StatementPtr flow_statement(Flow flow) {
  return running([flow](Scope&, std::string&) { return flow; });
}

StatementPtr set_statement(int line, std::vector<std::string> names, ExpressionPtr value) {
  return running(
      [line, names = std::move(names), value = std::move(value)](Scope& scope, std::string&) {
        assign(names, value->evaluate(scope), scope, line);
        return Flow::kGoOn;
      });
}

StatementPtr set_key_statement(int line, std::string object, std::string key, ExpressionPtr value) {
  return running([line, object = std::move(object), key = std::move(key), value = std::move(value)](
                     Scope& scope, std::string&) {
    const Value target = scope.find(object);
    if (target.dict() == nullptr || !target.dict()->is_namespace) {
      refuse_template(line, "chat template cannot be applied", "a namespace", target.type());
    }
    target.dict()->set(key, value->evaluate(scope));
    return Flow::kGoOn;
  });
}

StatementPtr set_block_statement(std::string name, Block block) {
  return running([name = std::move(name), block = std::move(block)](Scope& scope, std::string&) {
    std::string text;
    scope.enter();
    const Flow flow = run(block, scope, text);
    scope.leave();
    scope.set(name, text);
    return flow;
  });
}

StatementPtr macro_statement(Macro macro) {
  const auto shared = std::make_shared<const Macro>(std::move(macro));
  return running([shared](Scope& scope, std::string&) {
    const auto depth = std::make_shared<int>(0);
    scope.set(shared->name, Callable{shared->name, [shared, depth, &scope](const Arguments& given) {
                                       constexpr int kDeepest = 50;
                                       if (*depth >= kDeepest) {
                                         refuse_template(shared->line,
                                                         "chat template cannot be applied",
                                                         "at most 50 calls within another",
                                                         "more of " + shared->name);
                                       }
                                       ++*depth;
                                       Value text = call_macro(*shared, given, scope);
                                       --*depth;
                                       return text;
                                     }});
    return Flow::kGoOn;
  });
}

StatementPtr block_statement(Block block) {
  return running([block = std::move(block)](Scope& scope, std::string& out) {
    return run(block, scope, out);
  });
}

}  // namespace regroup::models::chat
