#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Weight files of torch.save put together by hand, so that they can be broken in any way.
namespace regroup::tests {

/// Names and bytes.
using Records = std::vector<std::pair<std::string, std::string>>;

/// A zip archive that stores its entries as they are. With `zip64` every length and place stands in
/// the zip64 records.
std::string zip_bytes(const Records& entries, bool zip64 = false);

/// An archive as torch.save writes it: `model/data.pkl`, `model/version` and `model/data/KEY` for
/// every storage.
std::string torch_archive(const std::string& pickle, const Records& storages);

/// Instructions of pickles; each function's string leaves one value on the stack.
namespace pickled {

/// A whole pickle of protocol 2.
std::string program(std::string_view body);
std::string text(std::string_view value);
std::string number(std::int64_t value);
std::string tuple(const std::vector<std::string>& items);
std::string numbers(const std::vector<std::int64_t>& values);
/// `module.name`.
std::string global(std::string_view module, std::string_view name);
/// What a function returns.
std::string call(const std::string& function, const std::vector<std::string>& arguments);
/// `torch.CLASS`, "FloatStorage", whose bytes are record `key`.
std::string storage(std::string_view storage_class, std::string_view key, std::int64_t elements);
std::string tensor(const std::string& storage, std::int64_t offset,
                   const std::vector<std::int64_t>& shape,
                   const std::vector<std::int64_t>& strides);
std::string dict(const Records& entries);
std::string ordered_dict(const Records& entries);

}  // namespace pickled
}  // namespace regroup::tests
