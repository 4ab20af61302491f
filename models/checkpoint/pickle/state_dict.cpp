#include "models/checkpoint/pickle/state_dict.hpp"

#include <fmt/format.h>

#include <string_view>

#include "models/checkpoint/pickle/machine.hpp"
#include "models/elements/tensor_view.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

/// Some 100,000 tensors; what a hostile file can make the reader hold is bounded by it.
constexpr std::size_t kMaxPickleBytes = std::size_t{16} << 20U;

/// The value as a T; throws InputError.
template <typename T>
const T& required(const pickle::Value& value, const std::string& what, const std::string& where,
                  const std::string& expected) {
  if (const T* found = std::get_if<T>(&value)) return *found;
  throw InputError({.what = what,
                    .where = where,
                    .expected = expected,
                    .found = std::string(pickle::kind_of(value))});
}

}  // namespace

StateDict read_state_dict(std::span<const std::byte> pickle, const std::string& where) {
  if (pickle.size() > kMaxPickleBytes) {
    throw InputError({.what = "pickle is too long",
                      .where = where,
                      .expected = fmt::format("at most {} bytes", kMaxPickleBytes),
                      .found = fmt::format("{} bytes", pickle.size())});
  }
  pickle::Machine machine(pickle, where);
  const auto& entries = required<pickle::Dict>(machine.run(), "weight file holds no state dict",
                                               where, "a dictionary of tensors");
  StateDict tensors;
  for (const auto& [key, value] : entries.items) {
    const std::string name(required<std::string_view>(
        machine.at(key), "tensor has a name that is no text", where, "text"));
    const std::string place = where + ", " + tensor_label(name);
    const auto& tensor = required<PickledTensor>(
        machine.at(value), "weight file holds something that is no tensor", place, "a tensor");
    if (!tensors.emplace(name, tensor).second) {
      throw InputError({.what = "tensor stands twice in the weight file",
                        .where = place,
                        .expected = "distinct names",
                        .found = "this name again"});
    }
  }
  return tensors;
}

}  // namespace regroup::models
