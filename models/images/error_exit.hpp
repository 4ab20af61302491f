#pragma once

#include <array>
#include <csetjmp>
#include <string>

#include "search/base/error.hpp"

namespace regroup::models {

/// The way out of a C library whose error handler must not return: the handler fills in `message`
/// and jumps to `back`.
struct ErrorExit {
  std::jmp_buf back;
  std::array<char, 256> message{};
};

/// Runs calls of a library whose error handler jumps to `exit`; an error becomes an InputError that
/// names `where` and repeats the library's message. The jump leaves out destructors: `step` must
/// neither make nor change an object that has one.
template <typename Step>
void run_guarded(ErrorExit& exit, const std::string& where, Step step) {
  if (setjmp(exit.back) != 0) {
    throw InputError({.what = "image cannot be decoded",
                      .where = where,
                      .expected = "a whole image",
                      .found = exit.message.data()});
  }
  step();
}

}  // namespace regroup::models
