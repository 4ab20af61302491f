#include "search/qcqa/qcqa_state.hpp"

#include <utility>

namespace regroup::search {

std::string record_of(const QcqaState& state) {
  RecordWriter record;
  record.number(state.stage);
  record.number(state.stage_one.size());
  for (const Nsga2State& unit : state.stage_one) write(record, unit);
  record.number(state.unit_history.size());
  for (const History& history : state.unit_history) write(record, history);
  write(record, state.stage_two);
  write(record, state.model_history);
  record.number(state.seconds);
  return std::move(record).bytes();
}

QcqaState qcqa_state_of(std::string_view bytes) {
  RecordReader record(bytes);
  QcqaState state;
  state.stage = record.number<int>();
  const auto units = record.number<std::size_t>();
  for (std::size_t u = 0; u < units; ++u) state.stage_one.push_back(read_nsga2_state(record));
  const auto histories = record.number<std::size_t>();
  for (std::size_t u = 0; u < histories; ++u) state.unit_history.push_back(read_history(record));
  state.stage_two = read_nsga2_state(record);
  state.model_history = read_history(record);
  state.seconds = record.number<double>();
  return state;
}

QcqaState load_qcqa_state(const StateStore& store) {
  const auto record = store.load(kQcqaRecord);
  return record ? qcqa_state_of(*record) : QcqaState{};
}

void save(StateStore& store, const QcqaState& state) {
  store.save(kQcqaRecord, record_of(state));
}

}  // namespace regroup::search
