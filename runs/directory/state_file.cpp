#include "runs/directory/state_file.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>

#include "models/files/atomic_file.hpp"
#include "models/files/mapped_file.hpp"
#include "models/files/sha256.hpp"
#include "search/base/error.hpp"

namespace regroup::runs {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using search::GenerationRecord;
using search::History;
using search::Nsga2State;
using search::ParetoArchive;
using search::SearchState;

constexpr int kVersion = 1;
constexpr std::size_t kDigestLength = 64;

template <class T>
json binary(std::span<const T> values) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(values.data());
  return json::binary(std::vector<std::uint8_t>(bytes, bytes + values.size_bytes()));
}

template <class T>
std::vector<T> numbers(const json& value) {
  const auto& bytes = value.get_binary();
  if (bytes.size() % sizeof(T) != 0) throw WorkError({.what = "state of the search is not whole"});
  std::vector<T> result(bytes.size() / sizeof(T));
  if (!result.empty()) std::memcpy(result.data(), bytes.data(), bytes.size());
  return result;
}

json genomes_json(const search::Genomes& genomes) {
  std::vector<search::Gene> genes;
  for (std::size_t i = 0; i < genomes.size(); ++i) {
    genes.insert(genes.end(), genomes[i].begin(), genomes[i].end());
  }
  return {{"length", genomes.genes()}, {"genes", binary(std::span<const search::Gene>(genes))}};
}

search::Genomes read_genomes(const json& value) {
  const auto length = value.at("length").get<std::size_t>();
  const auto genes = numbers<search::Gene>(value.at("genes"));
  search::Genomes genomes(length);
  for (std::size_t at = 0; at + length <= genes.size() && length > 0; at += length) {
    genomes.append(std::span(genes).subspan(at, length));
  }
  return genomes;
}

json archive_json(const std::vector<ParetoArchive::Entry>& archive) {
  const std::size_t length = archive.empty() ? 0 : archive.front().genome.size();
  search::Genomes genomes(length);
  std::vector<search::Objectives> objectives;
  for (const ParetoArchive::Entry& entry : archive) {
    genomes.append(entry.genome);
    objectives.push_back(entry.objectives);
  }
  return {{"genomes", genomes_json(genomes)},
          {"objectives", binary(std::span<const search::Objectives>(objectives))}};
}

std::vector<ParetoArchive::Entry> read_archive(const json& value) {
  const search::Genomes genomes = read_genomes(value.at("genomes"));
  const auto objectives = numbers<search::Objectives>(value.at("objectives"));
  std::vector<ParetoArchive::Entry> archive;
  for (std::size_t i = 0; i < genomes.size(); ++i) {
    archive.push_back({objectives.at(i), {genomes[i].begin(), genomes[i].end()}});
  }
  return archive;
}

json nsga2_json(const Nsga2State& state) {
  return {{"generation", state.generation},
          {"evaluations", state.evaluations},
          {"stalled", state.stalled},
          {"exhausted", state.exhausted},
          {"population", genomes_json(state.population)},
          {"objectives", binary(std::span<const search::Objectives>(state.objectives))},
          {"ranks", binary(std::span<const int>(state.ranks))},
          {"crowding", binary(std::span<const double>(state.crowding))},
          {"archive", archive_json(state.archive)}};
}

Nsga2State read_nsga2(const json& value) {
  Nsga2State state;
  state.generation = value.at("generation").get<int>();
  state.evaluations = value.at("evaluations").get<std::size_t>();
  state.stalled = value.at("stalled").get<int>();
  state.exhausted = value.at("exhausted").get<bool>();
  state.population = read_genomes(value.at("population"));
  state.objectives = numbers<search::Objectives>(value.at("objectives"));
  state.ranks = numbers<int>(value.at("ranks"));
  state.crowding = numbers<double>(value.at("crowding"));
  state.archive = read_archive(value.at("archive"));
  return state;
}

/// One field of all rows.
template <class T>
std::vector<T> column(const History& history, T GenerationRecord::*field) {
  std::vector<T> values;
  for (const GenerationRecord& row : history) values.push_back(row.*field);
  return values;
}

template <class T>
json column_json(const History& history, T GenerationRecord::*field) {
  return binary(std::span<const T>(column(history, field)));
}

/// By columns: a history grows with every generation, and it is written after each of them. Its
/// rows are of one stage and one unit.
json history_json(const History& history) {
  return {{"stage", history.empty() ? 0 : history.front().stage},
          {"unit", history.empty() ? "" : history.front().unit},
          {"generation", column_json(history, &GenerationRecord::generation)},
          {"evaluations", column_json(history, &GenerationRecord::evaluations)},
          {"front", column_json(history, &GenerationRecord::front)},
          {"hypervolume", column_json(history, &GenerationRecord::hypervolume)}};
}

History read_history(const json& value) {
  const auto generation = numbers<int>(value.at("generation"));
  const auto evaluations = numbers<std::size_t>(value.at("evaluations"));
  const auto front = numbers<std::size_t>(value.at("front"));
  const auto hypervolume = numbers<double>(value.at("hypervolume"));
  History history;
  for (std::size_t i = 0; i < generation.size(); ++i) {
    history.push_back({value.at("stage").get<int>(), value.at("unit").get<std::string>(),
                       generation[i], evaluations.at(i), front.at(i), hypervolume.at(i)});
  }
  return history;
}

json state_json(const SearchState& state) {
  json units = json::array();
  for (const Nsga2State& unit : state.stage_one) units.push_back(nsga2_json(unit));
  json histories = json::array();
  for (const History& history : state.unit_history) histories.push_back(history_json(history));
  return {{"version", kVersion},
          {"stage", state.stage},
          {"stage_one", units},
          {"unit_history", histories},
          {"stage_two", nsga2_json(state.stage_two)},
          {"model_history", history_json(state.model_history)},
          {"seconds", state.seconds}};
}

SearchState read_state(const json& value) {
  SearchState state;
  state.stage = value.at("stage").get<int>();
  for (const json& unit : value.at("stage_one")) state.stage_one.push_back(read_nsga2(unit));
  for (const json& rows : value.at("unit_history")) {
    state.unit_history.push_back(read_history(rows));
  }
  state.stage_two = read_nsga2(value.at("stage_two"));
  state.model_history = read_history(value.at("model_history"));
  state.seconds = value.at("seconds").get<double>();
  return state;
}

constexpr std::string_view kPrefix = "search-";
constexpr std::string_view kSuffix = ".cbor";

/// What follows the digest; none if the digest is not that of it.
std::optional<std::string_view> checked_payload(std::string_view file) {
  if (file.size() <= kDigestLength || file[kDigestLength] != '\n') return std::nullopt;
  const std::string_view payload = file.substr(kDigestLength + 1);
  if (models::sha256_hex(payload) != file.substr(0, kDigestLength)) return std::nullopt;
  return payload;
}

std::optional<search::SearchState> read_state_file(const fs::path& path) {
  const models::MappedFile file(path);
  const std::string_view bytes(reinterpret_cast<const char*>(file.bytes().data()),
                               file.bytes().size());
  const auto payload = checked_payload(bytes);
  if (!payload) return std::nullopt;
  const json value = json::from_cbor(payload->begin(), payload->end());
  if (value.value("version", 0) != kVersion) return std::nullopt;
  return read_state(value);
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
  if (!files.empty()) number_ = *state_number(files.front());
}

std::optional<search::SearchState> StateFile::load() const {
  if (!directory_.continues()) return std::nullopt;
  for (const fs::path& file : state_files(directory_.state_folder())) {
    if (auto state = read_state_file(file)) return state;
  }
  return std::nullopt;
}

void StateFile::save(const search::SearchState& state) {
  const std::vector<std::uint8_t> cbor = json::to_cbor(state_json(state));
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
