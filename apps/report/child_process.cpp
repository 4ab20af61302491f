#include "apps/report/child_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <sstream>

#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "search/base/error.hpp"

namespace regroup::apps {
namespace {

[[noreturn]] void fail(const char* what, const std::string& program, int error) {
  throw WorkError({.what = what,
                   .where = program,
                   .expected = {},
                   .found = std::generic_category().message(error)});
}

/// An open file that is closed at the end of its life.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() { close(); }
  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_ = -1;
};

/// Our end and the child's end of one of its standard streams.
struct Channel {
  Descriptor ours, theirs;
};

/// A socket pair, because writing to one that the child has closed can be asked not to raise
/// SIGPIPE, which a pipe cannot.
Channel make_channel(const std::string& program) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    fail("cannot connect to a child process", program, errno);
  }
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

/// The environment with LC_ALL=C.UTF-8: a decimal comma or another language would change the
/// output.
std::vector<char*> c_locale_environment(std::string& locale) {
  std::vector<char*> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (!std::string_view(*variable).starts_with("LC_ALL=")) variables.push_back(*variable);
  }
  variables.push_back(locale.data());
  variables.push_back(nullptr);
  return variables;
}

/// Owner of posix_spawn's two option objects.
class SpawnOptions {
 public:
  SpawnOptions() {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  SpawnOptions(const SpawnOptions&) = delete;
  SpawnOptions& operator=(const SpawnOptions&) = delete;
  ~SpawnOptions() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  void connect(const Descriptor& from, int to) {
    posix_spawn_file_actions_adddup2(&actions_, from.get(), to);
  }
  const posix_spawn_file_actions_t* actions() const { return &actions_; }
  const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

/// A started child, waited for at the latest in the destructor so that none stays behind.
class Child {
 public:
  Child(std::span<const std::string> arguments, const SpawnOptions& options)
      : program_(arguments.front()) {
    std::vector<std::string> copies(arguments.begin(), arguments.end());
    std::vector<char*> argv;
    for (std::string& argument : copies) argv.push_back(argument.data());
    argv.push_back(nullptr);
    std::string locale = "LC_ALL=C.UTF-8";
    const int error = ::posix_spawnp(&pid_, argv[0], options.actions(), options.attributes(),
                                     argv.data(), c_locale_environment(locale).data());
    if (error == ENOENT) {
      throw WorkError({.what = "a program that is needed is not installed",
                       .where = program_,
                       .expected = "\"" + program_ + "\" on PATH",
                       .found = "no such program"});
    }
    if (error != 0) fail("a program cannot be started", program_, error);
    running_ = true;
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (running_) wait();
  }
  int wait() {
    running_ = false;
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0) {
      if (errno != EINTR) return -1;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  std::string program_;
  pid_t pid_ = 0;
  bool running_ = false;
};

bool is_temporary(int error) {
  return error == EINTR || error == EAGAIN;
}

/// Sends what fits now; closes the stream when all is sent or the child no longer reads.
void send_some(Descriptor& stream, std::string_view& rest) {
  const ssize_t sent = ::send(stream.get(), rest.data(), rest.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent >= 0) rest.remove_prefix(static_cast<std::size_t>(sent));
  if (rest.empty() || (sent < 0 && !is_temporary(errno))) stream.close();
}

/// Appends what is there now; closes the stream at its end.
void receive_some(Descriptor& stream, std::string& text) {
  std::array<char, 16384> buffer;
  const ssize_t received = ::recv(stream.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (received > 0) text.append(buffer.data(), static_cast<std::size_t>(received));
  if (received == 0 || (received < 0 && !is_temporary(errno))) stream.close();
}

/// Serves the three streams together: a child that fills one while we wait on another would hang.
void exchange(Descriptor& in, Descriptor& out, Descriptor& err, std::string_view input,
              ProcessResult& result) {
  if (input.empty()) in.close();
  while (in.is_open() || out.is_open() || err.is_open()) {
    std::array<pollfd, 3> polled{pollfd{in.get(), POLLOUT, 0}, pollfd{out.get(), POLLIN, 0},
                                 pollfd{err.get(), POLLIN, 0}};
    if (::poll(polled.data(), polled.size(), -1) < 0) continue;  // interrupted
    if (polled[0].revents != 0) send_some(in, input);
    if (polled[1].revents != 0) receive_some(out, result.output);
    if (polled[2].revents != 0) receive_some(err, result.error);
  }
}

}  // namespace

bool is_installed(const std::string& program) {
  const char* path = std::getenv("PATH");
  std::stringstream folders(path == nullptr ? "" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (::access((std::filesystem::path(folder) / program).c_str(), X_OK) == 0) return true;
  }
  return false;
}

ProcessResult run_program(std::span<const std::string> arguments, const std::string& input) {
  const std::string& program = arguments.front();
  Channel in = make_channel(program);
  Channel out = make_channel(program);
  Channel err = make_channel(program);
  SpawnOptions options;
  options.connect(in.theirs, STDIN_FILENO);
  options.connect(out.theirs, STDOUT_FILENO);
  options.connect(err.theirs, STDERR_FILENO);
  Child child(arguments, options);
  in.theirs.close();
  out.theirs.close();
  err.theirs.close();
  ProcessResult result;
  exchange(in.ours, out.ours, err.ours, input, result);
  result.exit_status = child.wait();
  return result;
}

}  // namespace regroup::apps
