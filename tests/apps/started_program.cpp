#include "tests/apps/started_program.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/inotify.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "tests/support/paths.hpp"

namespace regroup::tests {
namespace {

void require(bool works, const char* what) {
  if (!works) throw std::runtime_error(std::string(what) + ": " + std::strerror(errno));
}

std::array<int, 2> make_pipe() {
  std::array<int, 2> ends{};
  require(pipe2(ends.data(), O_CLOEXEC) == 0, "pipe");
  return ends;
}

std::string read_to_end(int from) {
  std::string text;
  std::array<char, 4096> part;
  for (ssize_t length = 0; (length = read(from, part.data(), part.size())) > 0;) {
    text.append(part.data(), static_cast<std::size_t>(length));
  }
  return text;
}

pid_t spawn(std::vector<std::string> arguments, int output, int error) {
  arguments.insert(arguments.begin(), program_path());
  std::vector<char*> raw;
  for (std::string& argument : arguments) raw.push_back(argument.data());
  raw.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&files, error, STDERR_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  pid_t pid = 0;
  errno = posix_spawn(&pid, raw[0], &files, &attributes, raw.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  require(errno == 0, raw[0]);
  return pid;
}

}  // namespace

StartedProgram::StartedProgram(std::vector<std::string> arguments) {
  const std::array<int, 2> output = make_pipe();
  const std::array<int, 2> error = make_pipe();
  pid_ = spawn(std::move(arguments), output[1], error[1]);
  close(output[1]);
  close(error[1]);
  output_ = output[0];
  error_ = error[0];
}

StartedProgram::~StartedProgram() {
  if (pid_ != 0) {
    send(SIGKILL);
    end();
  }
  close(output_);
  close(error_);
}

bool StartedProgram::waits_for_output() const {
  pollfd polled{output_, POLLIN, 0};
  while (poll(&polled, 1, -1) < 0) require(errno == EINTR, "poll");
  return (polled.revents & POLLIN) != 0;
}

void StartedProgram::send(int signal) const {
  require(kill(pid_, signal) == 0, "kill");
}

ProgramEnd StartedProgram::end() {
  ProgramEnd result;
  result.output = read_to_end(output_);
  result.error = read_to_end(error_);
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0) require(errno == EINTR, "waitpid");
  pid_ = 0;
  result.was_ended = WIFSIGNALED(status);
  result.code = result.was_ended ? WTERMSIG(status) : WEXITSTATUS(status);
  return result;
}

FileEvents::FileEvents(const std::vector<std::string>& folders)
    : watch_(inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
  require(watch_ >= 0, "inotify");
  constexpr std::uint32_t kEvents = IN_CREATE | IN_MODIFY | IN_MOVED_TO | IN_DELETE;
  for (const std::string& folder : folders) {
    require(inotify_add_watch(watch_, folder.c_str(), kEvents) >= 0, folder.c_str());
  }
}

FileEvents::~FileEvents() {
  close(watch_);
}

bool FileEvents::happen(std::size_t events, const StartedProgram& program) {
  while (true) {
    count();
    if (counted_ >= events) return true;
    std::array<pollfd, 2> polled{pollfd{watch_, POLLIN, 0}, pollfd{program.output(), 0, 0}};
    if (poll(polled.data(), polled.size(), -1) < 0) require(errno == EINTR, "poll");
    if ((polled[1].revents & POLLHUP) != 0) return false;
  }
}

std::size_t FileEvents::all_so_far() {
  count();
  return counted_;
}

/// Reads all events that have happened.
void FileEvents::count() {
  alignas(inotify_event) std::array<char, 16384> buffer;
  for (ssize_t length = 0; (length = read(watch_, buffer.data(), buffer.size())) > 0;) {
    for (ssize_t at = 0; at < length; ++counted_) {
      inotify_event event;
      std::memcpy(&event, buffer.data() + at, sizeof(event));
      at += static_cast<ssize_t>(sizeof(event) + event.len);
    }
  }
}

}  // namespace regroup::tests
