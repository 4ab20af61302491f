#pragma once

#include <stdexcept>
#include <string>

namespace regroup {

/// What a failure says: what went wrong, where, what was expected there and what was found.
/// Parts that do not apply stay empty.
struct ErrorParts {
  std::string what = {};      ///< one sentence, no full stop: "tensor has the wrong shape"
  std::string where = {};     ///< file, tensor, option: "model.safetensors, tensor q_proj.weight"
  std::string expected = {};  ///< "[256, 256]"
  std::string found = {};     ///< "[256, 128]"
};

/// Base of every exception that regroup throws; carries the parts of the message.
/// `what()` is the whole message, at most four lines, without a trailing newline.
class Error : public std::runtime_error {
 public:
  explicit Error(ErrorParts parts);
  const ErrorParts& parts() const { return parts_; }

 private:
  ErrorParts parts_;
};

/// The user's input or usage is at fault; the program ends with exit code 2.
class InputError : public Error {
 public:
  using Error::Error;
};

/// Something failed while working (disk, memory, device); the program ends with exit code 1.
class WorkError : public Error {
 public:
  using Error::Error;
};

/// The user asked to stop; the program ends with exit code 130.
class Interrupted : public Error {
 public:
  Interrupted() : Error({.what = "interrupted"}) {}
};

}  // namespace regroup
