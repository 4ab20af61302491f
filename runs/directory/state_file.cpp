#include "runs/directory/state_file.hpp"

#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>

#include "models/files/atomic_file.hpp"
#include "models/files/mapped_file.hpp"
#include "models/files/sha256.hpp"
#include "search/base/error.hpp"

namespace regroup::runs {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using Records = std::map<std::string, std::string, std::less<>>;

constexpr int kVersion = 3;
constexpr std::size_t kDigestLength = 64;
constexpr std::string_view kPrefix = "search-";
constexpr std::string_view kSuffix = ".cbor";

/// What follows the digest; none if the digest is not that of it.
std::optional<std::string_view> checked_payload(std::string_view file) {
  if (file.size() <= kDigestLength || file[kDigestLength] != '\n') return std::nullopt;
  const std::string_view payload = file.substr(kDigestLength + 1);
  if (models::sha256_hex(payload) != file.substr(0, kDigestLength)) return std::nullopt;
  return payload;
}

json records_json(const Records& records) {
  json by_name = json::object();
  for (const auto& [name, bytes] : records) {
    by_name[name] = json::binary(std::vector<std::uint8_t>(bytes.begin(), bytes.end()));
  }
  return {{"version", kVersion}, {"records", std::move(by_name)}};
}

Records read_records(const json& by_name) {
  Records records;
  for (const auto& [name, value] : by_name.items()) {
    const auto& bytes = value.get_binary();
    records[name] = std::string(bytes.begin(), bytes.end());
  }
  return records;
}

std::optional<Records> read_state_file(const fs::path& path) {
  const models::MappedFile file(path);
  const std::string_view bytes(reinterpret_cast<const char*>(file.bytes().data()),
                               file.bytes().size());
  const auto payload = checked_payload(bytes);
  if (!payload) return std::nullopt;
  const json value = json::from_cbor(payload->begin(), payload->end());
  if (value.value("version", 0) != kVersion) return std::nullopt;
  return read_records(value.at("records"));
}

/// N of `search-N.cbor`; absent for other names.
std::optional<int> state_number(const fs::path& file) {
  const std::string name = file.filename().string();
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) return std::nullopt;
  const char* const begin = name.data() + kPrefix.size();
  const char* const end = name.data() + name.size() - kSuffix.size();
  int number = 0;
  const auto [last, error] = std::from_chars(begin, end, number);
  return error == std::errc() && last == end ? std::optional(number) : std::nullopt;
}

fs::path state_path(const fs::path& folder, int number) {
  return folder / fmt::format("{}{}{}", kPrefix, number, kSuffix);
}

}  // namespace

std::vector<fs::path> state_files(const fs::path& folder) {
  std::map<int, fs::path, std::greater<>> by_number;
  std::error_code absent;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, absent)) {
    if (const auto number = state_number(entry.path())) by_number[*number] = entry.path();
  }
  std::vector<fs::path> files;
  for (const auto& [number, file] : by_number) files.push_back(file);
  return files;
}

StateFile::StateFile(const RunDirectory& directory) : directory_(directory) {
  const std::vector<fs::path> files = state_files(directory.state_folder());
  if (files.empty()) return;
  number_ = *state_number(files.front());
  if (!directory.continues()) return;
  for (const fs::path& file : files) {
    if (auto records = read_state_file(file)) {
      records_ = std::move(*records);
      return;
    }
  }
}

std::optional<std::string> StateFile::load(std::string_view name) const {
  const std::lock_guard one_at_a_time(mutex_);
  const auto found = records_.find(name);
  return found == records_.end() ? std::nullopt : std::optional(found->second);
}

void StateFile::save(std::string_view name, std::string record) {
  const std::lock_guard one_at_a_time(mutex_);
  records_.insert_or_assign(std::string(name), std::move(record));
  const std::vector<std::uint8_t> cbor = json::to_cbor(records_json(records_));
  const std::string_view payload(reinterpret_cast<const char*>(cbor.data()), cbor.size());
  std::string file = models::sha256_hex(payload) + "\n";
  file += payload;
  const fs::path folder = directory_.state_folder();
  models::write_file_atomically(state_path(folder, number_ + 1), file, {},
                                models::Durability::kProcess);
  std::error_code left_for_later;
  fs::remove(state_path(folder, number_), left_for_later);
  ++number_;
}

}  // namespace regroup::runs
