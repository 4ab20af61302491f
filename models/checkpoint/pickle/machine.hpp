#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/checkpoint/pickle/value.hpp"

namespace regroup::models::pickle {

enum class Opcode : unsigned char;

/// The stack machine that a pickle is a program of, with only those of its instructions that
/// torch.save uses (protocol 2) and only those functions that find_global knows.
/// Format: the comments of CPython's Lib/pickletools.py.
class Machine {
 public:
  /// Both arguments must outlive the machine; `where` names the file in messages.
  Machine(std::span<const std::byte> pickle, const std::string& where);

  /// Runs the program to its end, once, and returns the value it leaves. Linear in its length.
  /// Throws InputError, naming the byte, for an unknown instruction, function or class and for
  /// operands that do not fit.
  const Value& run();

  /// A value that another one refers to.
  const Value& at(Ref ref) const { return values_[ref.index]; }

 private:
  // Each does the instruction and returns true if it is of its kind.
  bool push_constant(Opcode opcode);
  bool push_number(Opcode opcode);
  bool make_tuple(Opcode opcode);
  bool fill_container(Opcode opcode);
  bool use_memo(Opcode opcode);
  bool call(Opcode opcode);
  void step(Opcode opcode);

  void push_global();
  void push_storage();
  void reduce();
  void build();
  PickledTensor rebuilt_tensor(const std::vector<Ref>& arguments, bool typed) const;
  std::vector<std::int64_t> numbers(Ref tuple) const;
  void set_items(std::vector<Ref> keys_and_values);

  void push(Value value);
  Ref pop();
  Ref top() const;
  /// Takes everything above the last mark, and the mark.
  std::vector<Ref> pop_to_mark();
  /// The value as a T; throws if it is something else.
  template <typename T>
  const T& as(Ref ref) const;

  std::span<const std::byte> take(std::uint64_t count);
  std::uint64_t take_number(std::size_t width);
  std::int64_t take_long(std::size_t width);
  std::string_view take_line();
  [[noreturn]] void refuse(std::string what, std::string expected, std::string found) const;

  std::span<const std::byte> pickle_;
  const std::string& where_;
  std::size_t next_ = 0;         // byte to read
  std::size_t instruction_ = 0;  // byte where the instruction that runs began
  std::vector<Value> values_;    // all there are; the rest refers to them
  std::vector<Ref> stack_;
  std::vector<std::size_t> marks_;  // sizes of the stack
  std::map<std::uint64_t, Ref> memo_;
};

/// "a dictionary", "text", for messages.
std::string_view kind_of(const Value& value);

/// What a pickle means by `module.name`, as far as state dicts need it: a class of storages, an
/// element type or a function. None for every other name; nothing is ever looked up in a Python.
std::optional<Value> find_global(std::string_view module, std::string_view name);

}  // namespace regroup::models::pickle
