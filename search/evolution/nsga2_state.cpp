#include "search/evolution/nsga2_state.hpp"

#include <string>

namespace regroup::search {
namespace {

void write_genomes(RecordWriter& record, const Genomes& genomes) {
  std::vector<Gene> genes;
  for (std::size_t i = 0; i < genomes.size(); ++i) {
    genes.insert(genes.end(), genomes[i].begin(), genomes[i].end());
  }
  record.number(genomes.genes());
  record.row(genes);
}

Genomes read_genomes(RecordReader& record) {
  const auto length = record.number<std::size_t>();
  const auto genes = record.row<Gene>();
  Genomes genomes(length);
  for (std::size_t at = 0; length > 0 && at + length <= genes.size(); at += length) {
    genomes.append(std::span(genes).subspan(at, length));
  }
  return genomes;
}

/// One field of all rows.
template <class T>
void write_column(RecordWriter& record, const History& history, T GenerationRecord::*field) {
  std::vector<T> values;
  for (const GenerationRecord& row : history) values.push_back(row.*field);
  record.row(values);
}

template <class T>
void read_column(RecordReader& record, History& history, T GenerationRecord::*field) {
  const auto values = record.row<T>();
  history.resize(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) history[i].*field = values[i];
}

}  // namespace

void write(RecordWriter& record, const Nsga2State& state) {
  record.number(state.generation);
  record.number(state.evaluations);
  record.number(state.stalled);
  record.number(state.exhausted);
  write_genomes(record, state.population);
  record.row(state.objectives);
  record.row(state.ranks);
  record.row(state.crowding);
  record.number(state.archive.size());
  for (const ParetoArchive::Entry& entry : state.archive) {
    record.number(entry.objectives);
    record.row(entry.genome);
  }
}

Nsga2State read_nsga2_state(RecordReader& record) {
  Nsga2State state;
  state.generation = record.number<int>();
  state.evaluations = record.number<std::size_t>();
  state.stalled = record.number<int>();
  state.exhausted = record.number<bool>();
  state.population = read_genomes(record);
  state.objectives = record.row<Objectives>();
  state.ranks = record.row<int>();
  state.crowding = record.row<double>();
  const auto entries = record.number<std::size_t>();
  for (std::size_t i = 0; i < entries; ++i) {
    const auto objectives = record.number<Objectives>();
    state.archive.push_back({objectives, record.row<Gene>()});
  }
  return state;
}

/// By columns: a history grows with every generation, and it is written after each of them.
void write(RecordWriter& record, const History& history) {
  record.number(history.empty() ? 0 : history.front().stage);
  record.text(history.empty() ? "" : history.front().unit);
  write_column(record, history, &GenerationRecord::generation);
  write_column(record, history, &GenerationRecord::evaluations);
  write_column(record, history, &GenerationRecord::front);
  write_column(record, history, &GenerationRecord::hypervolume);
}

History read_history(RecordReader& record) {
  const auto stage = record.number<int>();
  const std::string unit = record.text();
  History history;
  read_column(record, history, &GenerationRecord::generation);
  read_column(record, history, &GenerationRecord::evaluations);
  read_column(record, history, &GenerationRecord::front);
  read_column(record, history, &GenerationRecord::hypervolume);
  for (GenerationRecord& row : history) {
    row.stage = stage;
    row.unit = unit;
  }
  return history;
}

}  // namespace regroup::search
