#include "fitness/tasks/document_task.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "fitness/loss_text.hpp"
#include "models/files/json_fields.hpp"
#include "models/files/mapped_file.hpp"
#include "models/files/sha256.hpp"
#include "models/text/text_counts.hpp"
#include "search/base/error.hpp"
#include "search/base/parallel.hpp"

namespace regroup::fitness {

DocumentFile read_documents(const TaskOptions& options) {
  const models::MappedFile mapped(options.data);
  const auto bytes = mapped.bytes();
  const std::string name = options.data.string();
  DocumentFile file{models::sha256_hex(bytes), 0, {}};
  file.lines =
      models::parse_json_lines({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, name);
  file.documents = file.lines.size();
  if (file.documents == 0) {
    throw InputError({.what = "file holds no documents",
                      .where = name,
                      .expected = "a JSON object a line",
                      .found = fmt::format("{} bytes", bytes.size())});
  }
  if (options.limit > 0) file.lines.resize(std::min(options.limit, file.documents));
  return file;
}

std::string required_text(const models::JsonLine& line, std::string_view key) {
  std::string text = models::required_string(line.value, key, line.where);
  if (!text.empty()) return text;
  throw InputError({.what = "text is empty",
                    .where = models::field_of(line.where, key),
                    .expected = "at least one character"});
}

std::string joined(std::string_view context, std::string_view continuation) {
  const char* delimiter = models::trailing_white_space(context) > 0 ? "" : " ";
  return std::string(delimiter).append(continuation);
}

std::vector<DocumentRequests> encode_documents(
    std::size_t documents, const std::function<DocumentRequests(std::size_t)>& encode) {
  std::vector<DocumentRequests> requests(documents);
  search::parallel_for(documents, [&](std::size_t i) { requests[i] = encode(i); });
  return requests;
}

DocumentTask::DocumentTask(std::string sha256, std::size_t documents,
                           std::vector<DocumentRequests> requests)
    : sha256_(std::move(sha256)), documents_(documents) {
  for (DocumentRequests& of_document : requests) {
    std::ranges::move(of_document, std::back_inserter(requests_));
    ends_.push_back(requests_.size());
  }
}

std::string DocumentTask::remark() const {
  const auto cut = std::ranges::count_if(
      requests_, [](const models::Continuation& request) { return request.left_out > 0; });
  if (cut == 0) return {};
  return fmt::format("{} of {} inputs do not fit the context; their last tokens are read", cut,
                     requests_.size());
}

TaskResult DocumentTask::measure(const TaskModels& models, std::stop_token stop,
                                 search::Progress& progress) const {
  std::size_t tokens = 0;
  for (const models::Continuation& request : requests_) tokens += request.inputs().size();
  progress.begin("scoring documents", tokens, "tokens");
  const auto scores = models.model.continuation_scores(requests_, std::move(stop), progress);
  progress.end();
  std::vector<DocumentScores> documents;
  std::size_t begin = 0;
  for (const std::size_t end : ends_) {
    documents.push_back(std::span(scores).subspan(begin, end - begin));
    begin = end;
  }
  return result(documents);
}

std::string DocumentTask::size_text() const {
  if (ends_.size() == documents_) {
    return fmt::format("({} document{})", documents_, documents_ == 1 ? "" : "s");
  }
  return fmt::format("({} of {} documents)", ends_.size(), documents_);
}

std::string percent_text(const LossEstimate& share) {
  LossEstimate percent{100 * share.mean, share.standard_error};
  if (percent.standard_error) *percent.standard_error *= 100;
  return loss_text(percent, 2) + " %";
}

}  // namespace regroup::fitness
