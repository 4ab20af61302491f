#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fitness/tasks/task.hpp"
#include "models/files/json_lines.hpp"
#include "models/text/continuation.hpp"

namespace regroup::fitness {

/// A data file with a JSON object for each document.
struct DocumentFile {
  std::string sha256;
  std::size_t documents = 0;            ///< in the file
  std::vector<models::JsonLine> lines;  ///< those that are measured
};

/// Reads the documents that a task is to measure. Throws InputError for a file that is not there,
/// that is broken or that holds none.
DocumentFile read_documents(const TaskOptions& options);

/// A document's field with a text that is not empty; throws InputError, naming the line.
std::string required_text(const models::JsonLine& line, std::string_view key);

/// `continuation` as it stands after `context`: a space before it, unless that ends in white space.
std::string joined(std::string_view context, std::string_view continuation);

/// What a model is asked for one document.
using DocumentRequests = std::vector<models::Continuation>;
/// Calls `encode` for 0 … documents − 1, spread over the threads; throws what the first of those
/// that fail throws.
std::vector<DocumentRequests> encode_documents(
    std::size_t documents, const std::function<DocumentRequests(std::size_t document)>& encode);

/// A task on separate documents, for each of which the model is asked for some continuations.
class DocumentTask : public PreparedTask {
 public:
  /// `documents`: in the file; `requests`: of each document that is measured.
  DocumentTask(std::string sha256, std::size_t documents, std::vector<DocumentRequests> requests);

  const std::string& sha256() const override { return sha256_; }
  std::size_t original_samples() const override { return documents_; }
  std::size_t effective_samples() const override { return ends_.size(); }
  /// How many inputs did not fit the context.
  std::string remark() const override;
  TaskResult measure(const TaskModels& models, std::stop_token stop,
                     search::Progress& progress) const override;

 protected:
  using DocumentScores = std::span<const models::ContinuationScore>;
  /// From the scores of every document, one for each of its requests.
  virtual TaskResult result(std::span<const DocumentScores> documents) const = 0;
  /// "(200 of 1838 documents)".
  std::string size_text() const;

 private:
  std::string sha256_;
  std::size_t documents_;
  std::vector<models::Continuation> requests_;  // of all documents
  std::vector<std::size_t> ends_;               // where those of each document end
};

/// "52.00 ± 3.54 %" of a share.
std::string percent_text(const LossEstimate& share);

}  // namespace regroup::fitness
