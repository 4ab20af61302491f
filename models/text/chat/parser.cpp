#include "models/text/chat/parser.hpp"

#include <algorithm>
#include <initializer_list>

#include "models/text/chat/expression_parser.hpp"
#include "models/text/chat/statements.hpp"

namespace regroup::models::chat {
namespace {

class Parser {
 public:
  explicit Parser(std::string_view source) : tokens_(tokens_of(source)), expressions_(tokens_) {}

  Block whole() {
    Block block = block_until({});
    if (!tokens_.is(TokenKind::kEnd)) tokens_.refuse("the end of the template");
    return block;
  }

 private:
  using Names = std::initializer_list<std::string_view>;

  /// Statements up to a tag of one of these names, whose beginning is not taken.
  Block block_until(Names ends) {
    constexpr int kDeepest = 100;
    if (++depth_ > kDeepest) tokens_.refuse("blocks less deep");
    Block block;
    while (!tokens_.is(TokenKind::kEnd) && !ends_here(ends)) block.push_back(statement());
    if (tokens_.is(TokenKind::kEnd) && ends.size() > 0) {
      tokens_.refuse("{% " + std::string(*ends.begin()) + " %}");
    }
    --depth_;
    return block;
  }

  bool ends_here(Names ends) const {
    return tokens_.is(TokenKind::kTagBegin) &&
           std::any_of(ends.begin(), ends.end(),
                       [&](std::string_view name) { return tokens_.is_name(name, 1); });
  }

  /// Takes a tag of one word.
  void take_tag() {
    tokens_.require(TokenKind::kTagBegin, "a tag");
    tokens_.require_name();
    end_tag();
  }
  void end_tag() { tokens_.require(TokenKind::kTagEnd, "%}"); }

  StatementPtr statement() {
    if (tokens_.is(TokenKind::kText)) return text_statement(tokens_.take().text);
    if (tokens_.is(TokenKind::kPrintBegin)) {
      tokens_.take();
      ExpressionPtr value = expressions_.expression_or_tuple();
      tokens_.require(TokenKind::kPrintEnd, "}}");
      return print_statement(std::move(value));
    }
    tokens_.require(TokenKind::kTagBegin, "a tag");
    const Token name = tokens_.peek();
    tokens_.require_name();
    if (name.text == "if") return if_tag();
    if (name.text == "for") return for_tag(name.line);
    if (name.text == "set") return set_tag(name.line);
    if (name.text == "macro") return macro_tag(name.line);
    if (name.text == "generation") return generation_tag();
    if (name.text == "break" || name.text == "continue") {
      end_tag();
      return flow_statement(name.text == "break" ? Flow::kBreak : Flow::kContinue);
    }
    refuse_template(name.line, "chat template is not supported",
                    "if, for, set, macro, generation, break, continue", "{% " + name.text + " %}");
  }

  StatementPtr if_tag() {
    std::vector<std::pair<ExpressionPtr, Block>> branches;
    ExpressionPtr condition = expressions_.expression();
    while (true) {
      end_tag();
      Block block = block_until({"endif", "elif", "else"});
      branches.emplace_back(std::move(condition), std::move(block));
      tokens_.take();
      const std::string name = tokens_.require_name();
      if (name == "endif") break;
      condition = name == "elif" ? expressions_.expression() : nullptr;
    }
    end_tag();
    return if_statement(std::move(branches));
  }

  std::vector<std::string> names() {
    const bool parenthesized = tokens_.accept_operator("(");
    std::vector<std::string> names = {tokens_.require_name()};
    while (tokens_.accept_operator(",")) names.push_back(tokens_.require_name());
    if (parenthesized) tokens_.require_operator(")");
    return names;
  }

  StatementPtr for_tag(int line) {
    Loop loop;
    loop.line = line;
    loop.names = names();
    if (!tokens_.accept_name("in")) tokens_.refuse("in");
    loop.elements = expressions_.plain_expression();
    if (tokens_.accept_name("if")) loop.condition = expressions_.expression();
    end_tag();
    loop.body = block_until({"endfor", "else"});
    if (tokens_.is_name("else", 1)) {
      take_tag();
      loop.otherwise = block_until({"endfor"});
    }
    take_tag();
    return for_statement(std::move(loop));
  }

  StatementPtr set_tag(int line) {
    if (tokens_.is(TokenKind::kOperator, ".", 1)) {
      std::string object = tokens_.require_name();
      tokens_.take();
      std::string key = tokens_.require_name();
      tokens_.require_operator("=");
      ExpressionPtr value = expressions_.expression_or_tuple();
      end_tag();
      return set_key_statement(line, std::move(object), std::move(key), std::move(value));
    }
    std::vector<std::string> names = this->names();
    if (tokens_.accept_operator("=")) {
      ExpressionPtr value = expressions_.expression_or_tuple();
      end_tag();
      return set_statement(line, std::move(names), std::move(value));
    }
    if (names.size() != 1) tokens_.refuse("=");
    end_tag();
    Block block = block_until({"endset"});
    take_tag();
    return set_block_statement(std::move(names[0]), std::move(block));
  }

  StatementPtr macro_tag(int line) {
    Macro macro;
    macro.line = line;
    macro.name = tokens_.require_name();
    tokens_.require_operator("(");
    while (!tokens_.accept_operator(")")) {
      std::string name = tokens_.require_name();
      ExpressionPtr usual = tokens_.accept_operator("=") ? expressions_.expression() : nullptr;
      macro.parameters.emplace_back(std::move(name), std::move(usual));
      if (!tokens_.accept_operator(",") && !tokens_.is_operator(")")) tokens_.refuse(")");
    }
    end_tag();
    macro.body = block_until({"endmacro"});
    take_tag();
    return macro_statement(std::move(macro));
  }

  /// What the model writes: transformers marks it for training, its text is as any other.
  StatementPtr generation_tag() {
    end_tag();
    Block block = block_until({"endgeneration"});
    take_tag();
    return block_statement(std::move(block));
  }

  TokenReader tokens_;
  ExpressionParser expressions_;
  int depth_ = 0;
};

}  // namespace

Block parse_template(std::string_view source) {
  return Parser(source).whole();
}

}  // namespace regroup::models::chat
