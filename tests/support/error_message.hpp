#pragma once

#include <string>

namespace regroup::tests {

/// The message of the `Error` that `action` throws, or "no error was thrown"; other exceptions pass
/// through and fail the test. Example:
///   CHECK_THAT(error_message<InputError>([] { read("x.json"); }), contains("x.json"));
template <typename Error, typename Action>
std::string error_message(Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error was thrown";
}

}  // namespace regroup::tests
