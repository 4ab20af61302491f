#pragma once

#include <string>
#include <utility>
#include <vector>

#include "models/text/chat/expressions.hpp"

namespace regroup::models::chat {

// The statements of the language; each function makes one.

StatementPtr text_statement(std::string text);
StatementPtr print_statement(ExpressionPtr value);
/// The block of the first condition that holds; a last condition that is null holds always.
StatementPtr if_statement(std::vector<std::pair<ExpressionPtr, Block>> branches);

struct Loop {
  int line = 0;
  std::vector<std::string> names;  ///< more than one: elements are taken apart
  ExpressionPtr elements;
  ExpressionPtr condition;  ///< null: all of them
  Block body;
  Block otherwise;  ///< runs where there are none
};
StatementPtr for_statement(Loop loop);
StatementPtr flow_statement(Flow flow);

/// `set name = value`; of several names a list is taken apart.
StatementPtr set_statement(int line, std::vector<std::string> names, ExpressionPtr value);
/// `set object.key = value`, of a namespace.
StatementPtr set_key_statement(int line, std::string object, std::string key, ExpressionPtr value);
/// `set name` … `endset`.
StatementPtr set_block_statement(std::string name, Block block);

struct Macro {
  int line = 0;
  std::string name;
  std::vector<std::pair<std::string, ExpressionPtr>> parameters;  ///< defaults may be null
  Block body;
};
StatementPtr macro_statement(Macro macro);
/// A block that is run as it stands.
StatementPtr block_statement(Block block);

}  // namespace regroup::models::chat
