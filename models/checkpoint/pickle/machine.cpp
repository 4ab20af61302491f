#include "models/checkpoint/pickle/machine.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "models/files/byte_text.hpp"
#include "models/files/little_endian.hpp"
#include "models/files/printable.hpp"
#include "search/base/error.hpp"

namespace regroup::models::pickle {

enum class Opcode : unsigned char {
  kProtocol = 0x80,
  kStop = '.',
  kMark = '(',
  kNone = 'N',
  kTrue = 0x88,
  kFalse = 0x89,
  kFloat = 'G',
  kInt4 = 'J',
  kInt1 = 'K',
  kInt2 = 'M',
  kLong = 0x8a,
  kText = 'X',
  kGlobal = 'c',
  kEmptyTuple = ')',
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kTuple = 't',
  kEmptyList = ']',
  kAppend = 'a',
  kAppends = 'e',
  kEmptyDict = '}',
  kSetItem = 's',
  kSetItems = 'u',
  kPut1 = 'q',
  kPut4 = 'r',
  kGet1 = 'h',
  kGet4 = 'j',
  kPersistentId = 'Q',
  kReduce = 'R',
  kBuild = 'b',
};

namespace {

constexpr std::size_t kMaxDimensions = 16;

/// The name of the alternative T of a Value, as kind_of says it.
template <typename T>
std::string_view kind_name() {
  return kind_of(Value(T()));
}

}  // namespace

std::string_view kind_of(const Value& value) {
  constexpr std::array<std::string_view, std::variant_size_v<Value>> kKinds = {
      "None, a truth value or a fraction",
      "an integer",
      "text",
      "a tuple",
      "a list",
      "a dictionary",
      "an element type",
      "a class of storages",
      "a function",
      "a storage",
      "a tensor"};
  return kKinds[value.index()];
}

Machine::Machine(std::span<const std::byte> pickle, const std::string& where)
    : pickle_(pickle), where_(where) {}

const Value& Machine::run() {
  constexpr std::uint64_t kKnownProtocol = 2;
  if (static_cast<Opcode>(take_number(1)) != Opcode::kProtocol) {
    refuse("not a pickle of torch.save", "a protocol number at its beginning", "something else");
  }
  if (const std::uint64_t protocol = take_number(1); protocol != kKnownProtocol) {
    refuse("pickle has another protocol than torch.save's", "protocol 2",
           fmt::format("protocol {}", protocol));
  }
  while (true) {
    instruction_ = next_;
    const auto opcode = static_cast<Opcode>(take_number(1));
    if (opcode == Opcode::kStop) return at(pop());
    step(opcode);
  }
}

void Machine::step(Opcode opcode) {
  if (push_constant(opcode) || push_number(opcode) || make_tuple(opcode) ||
      fill_container(opcode) || use_memo(opcode) || call(opcode)) {
    return;
  }
  refuse("pickle holds an instruction that no state dict needs",
         "a state dict as torch.save writes it",
         fmt::format("instruction {:#04x}", static_cast<unsigned>(opcode)));
}

bool Machine::push_constant(Opcode opcode) {
  switch (opcode) {
    case Opcode::kNone:
    case Opcode::kTrue:
    case Opcode::kFalse:
      push(Plain{});
      return true;
    case Opcode::kFloat:
      take(sizeof(double));
      push(Plain{});
      return true;
    case Opcode::kText:
      push(text_of(take(take_number(4))));
      return true;
    case Opcode::kGlobal:
      push_global();
      return true;
    default:
      return false;
  }
}

bool Machine::push_number(Opcode opcode) {
  switch (opcode) {
    case Opcode::kInt1:
      push(static_cast<std::int64_t>(take_number(1)));
      return true;
    case Opcode::kInt2:
      push(static_cast<std::int64_t>(take_number(2)));
      return true;
    case Opcode::kInt4:
      push(take_long(4));
      return true;
    case Opcode::kLong:
      push(take_long(take_number(1)));
      return true;
    default:
      return false;
  }
}

bool Machine::make_tuple(Opcode opcode) {
  const auto of_last = [this](std::size_t count) {
    std::vector<Ref> items(count);
    for (std::size_t i = count; i-- > 0;) items[i] = pop();
    push(Tuple{std::move(items)});
    return true;
  };
  switch (opcode) {
    case Opcode::kEmptyTuple:
      return of_last(0);
    case Opcode::kTuple1:
      return of_last(1);
    case Opcode::kTuple2:
      return of_last(2);
    case Opcode::kTuple3:
      return of_last(3);
    case Opcode::kTuple:
      push(Tuple{pop_to_mark()});
      return true;
    default:
      return false;
  }
}

bool Machine::fill_container(Opcode opcode) {
  const auto append = [this](const std::vector<Ref>& items) {
    as<List>(top());
    auto& list = std::get<List>(values_[top().index]).items;
    list.insert(list.end(), items.begin(), items.end());
  };
  switch (opcode) {
    case Opcode::kMark:
      marks_.push_back(stack_.size());
      return true;
    case Opcode::kEmptyList:
      push(List{});
      return true;
    case Opcode::kAppend:
      append({pop()});
      return true;
    case Opcode::kAppends:
      append(pop_to_mark());
      return true;
    case Opcode::kEmptyDict:
      push(Dict{});
      return true;
    case Opcode::kSetItem: {
      const Ref value = pop();
      set_items({pop(), value});
      return true;
    }
    case Opcode::kSetItems:
      set_items(pop_to_mark());
      return true;
    default:
      return false;
  }
}

bool Machine::use_memo(Opcode opcode) {
  const auto put = [this](std::uint64_t key) { memo_.insert_or_assign(key, top()); };
  const auto get = [this](std::uint64_t key) {
    const auto found = memo_.find(key);
    if (found == memo_.end()) {
      refuse("pickle is broken", "a value that stands before", fmt::format("number {}", key));
    }
    stack_.push_back(found->second);
  };
  switch (opcode) {
    case Opcode::kPut1:
      put(take_number(1));
      return true;
    case Opcode::kPut4:
      put(take_number(4));
      return true;
    case Opcode::kGet1:
      get(take_number(1));
      return true;
    case Opcode::kGet4:
      get(take_number(4));
      return true;
    default:
      return false;
  }
}

bool Machine::call(Opcode opcode) {
  switch (opcode) {
    case Opcode::kPersistentId:
      push_storage();
      return true;
    case Opcode::kReduce:
      reduce();
      return true;
    case Opcode::kBuild:
      build();
      return true;
    default:
      return false;
  }
}

void Machine::push_global() {
  const std::string_view module = take_line();
  const std::string_view name = take_line();
  std::optional<Value> found = find_global(module, name);
  if (!found) {
    refuse("pickle names a class or function that is not of weights",
           "tensors, Parameters and dictionaries",
           printable(std::string(module) + "." + std::string(name)));
  }
  push(std::move(*found));
}

/// torch.save writes a storage as ("storage", class, key, device, number of elements).
void Machine::push_storage() {
  const std::vector<Ref>& parts = as<Tuple>(pop()).items;
  if (parts.size() != 5 || as<std::string_view>(parts[0]) != "storage") {
    refuse("pickle refers to something that is no storage", "a storage of five parts",
           fmt::format("{} parts", parts.size()));
  }
  push(PickledStorage{.key = as<std::string_view>(parts[2]),
                      .dtype = as<StorageClass>(parts[1]).dtype,
                      .elements = as<std::int64_t>(parts[4])});
}

void Machine::reduce() {
  const std::vector<Ref>& arguments = as<Tuple>(pop()).items;
  switch (as<Function>(pop())) {
    case Function::kOrderedDict:
      if (!arguments.empty()) {
        refuse("pickle fills a dictionary in an unknown way", "OrderedDict()", "arguments");
      }
      push(Dict{});
      return;
    case Function::kTensor:
      push(rebuilt_tensor(arguments, false));
      return;
    case Function::kTypedTensor:
      push(rebuilt_tensor(arguments, true));
      return;
    case Function::kParameter:
      if (arguments.empty()) refuse("pickle is broken", "a Parameter's tensor", "no arguments");
      as<PickledTensor>(arguments[0]);
      stack_.push_back(arguments[0]);
      return;
  }
}

/// A dictionary may get attributes, `_metadata` with the versions of modules; no weights need them.
void Machine::build() {
  pop();
  as<Dict>(top());
}

/// The arguments: storage, offset, shape, strides, requires_grad, hooks, the element type where the
/// storage has none and, rarely, a dictionary that says whether the numbers are to be negated.
PickledTensor Machine::rebuilt_tensor(const std::vector<Ref>& arguments, bool typed) const {
  const std::size_t known = typed ? 7 : 6;
  if (arguments.size() != known) {
    refuse("pickle describes a tensor in an unknown way", fmt::format("{} arguments", known),
           fmt::format("{}", arguments.size()));
  }
  const auto& storage = as<PickledStorage>(arguments[0]);
  if (typed == storage.dtype.has_value()) {
    refuse("pickle describes a tensor in an unknown way", "one element type",
           typed ? "two" : "none");
  }
  PickledTensor tensor{.storage = storage,
                       .dtype = typed ? as<DType>(arguments[6]) : *storage.dtype,
                       .offset = as<std::int64_t>(arguments[1]),
                       .shape = numbers(arguments[2]),
                       .strides = numbers(arguments[3])};
  if (tensor.shape.size() == tensor.strides.size()) return tensor;
  refuse("pickle describes a tensor in an unknown way",
         fmt::format("{} strides", tensor.shape.size()), fmt::format("{}", tensor.strides.size()));
}

std::vector<std::int64_t> Machine::numbers(Ref tuple) const {
  const std::vector<Ref>& items = as<Tuple>(tuple).items;
  if (items.size() > kMaxDimensions) {
    refuse("tensor has too many dimensions", fmt::format("at most {}", kMaxDimensions),
           fmt::format("{}", items.size()));
  }
  std::vector<std::int64_t> numbers;
  for (const Ref item : items) numbers.push_back(as<std::int64_t>(item));
  return numbers;
}

void Machine::set_items(std::vector<Ref> keys_and_values) {
  as<Dict>(top());
  if (keys_and_values.size() % 2 != 0) {
    refuse("pickle is broken", "a value for every key", "a key without one");
  }
  auto& items = std::get<Dict>(values_[top().index]).items;
  for (std::size_t i = 0; i < keys_and_values.size(); i += 2) {
    items.emplace_back(keys_and_values[i], keys_and_values[i + 1]);
  }
}

void Machine::push(Value value) {
  stack_.push_back({values_.size()});
  values_.push_back(std::move(value));
}

Ref Machine::pop() {
  const Ref last = top();
  stack_.pop_back();
  return last;
}

Ref Machine::top() const {
  if (stack_.size() == (marks_.empty() ? 0 : marks_.back())) {
    refuse("pickle is broken", "a value for the instruction", "none");
  }
  return stack_.back();
}

std::vector<Ref> Machine::pop_to_mark() {
  if (marks_.empty()) refuse("pickle is broken", "a mark before the instruction", "none");
  const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
  std::vector<Ref> items(begin, stack_.end());
  stack_.erase(begin, stack_.end());
  marks_.pop_back();
  return items;
}

template <typename T>
const T& Machine::as(Ref ref) const {
  if (const T* value = std::get_if<T>(&at(ref))) return *value;
  refuse("pickle holds a value of another kind", std::string(kind_name<T>()),
         std::string(kind_of(at(ref))));
}

std::span<const std::byte> Machine::take(std::uint64_t count) {
  if (count > pickle_.size() - next_) {
    refuse("pickle is cut short", fmt::format("{} bytes more", count),
           fmt::format("{}", pickle_.size() - next_));
  }
  const auto taken = pickle_.subspan(next_, count);
  next_ += count;
  return taken;
}

std::uint64_t Machine::take_number(std::size_t width) {
  return read_little_endian(take(width));
}

/// A number in two's complement.
std::int64_t Machine::take_long(std::size_t width) {
  if (width > sizeof(std::int64_t)) {
    refuse("pickle holds a number that is too large", "at most 8 bytes",
           fmt::format("{} bytes", width));
  }
  if (width == 0) return 0;
  const auto unused = static_cast<unsigned>(8 * (sizeof(std::int64_t) - width));
  return static_cast<std::int64_t>(take_number(width) << unused) >> unused;
}

std::string_view Machine::take_line() {
  const std::string_view rest = text_of(pickle_.subspan(next_));
  const std::size_t end = rest.find('\n');
  if (end == std::string_view::npos) refuse("pickle is cut short", "the end of a name", "none");
  next_ += end + 1;
  return rest.substr(0, end);
}

void Machine::refuse(std::string what, std::string expected, std::string found) const {
  throw InputError({.what = std::move(what),
                    .where = fmt::format("{}, byte {}", where_, instruction_),
                    .expected = std::move(expected),
                    .found = std::move(found)});
}

}  // namespace regroup::models::pickle
