#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace regroup::search {

/// Where long work keeps its progress, so that a later run can go on from it: records by name, each
/// of them bytes that only the method it belongs to writes and reads (record.hpp).
class StateStore {
 public:
  virtual ~StateStore() = default;
  /// What an earlier run, or this one, saved under that name last, if anything.
  virtual std::optional<std::string> load(std::string_view name) const = 0;
  /// Replaces the record; the others stay. A process that ends at any moment leaves the old one or
  /// the new one. May be called from several threads. Throws WorkError.
  virtual void save(std::string_view name, std::string record) = 0;
};

/// Keeps nothing.
class NoStateStore : public StateStore {
 public:
  std::optional<std::string> load(std::string_view) const override { return std::nullopt; }
  void save(std::string_view, std::string) override {}
};

}  // namespace regroup::search
