// Completion and manual are made of the options that the commands declare: none is left out, and
// shells and man understand what is printed.

#include <fstream>
#include <map>

#include "apps/report/child_process.hpp"
#include "apps/search/option_groups.hpp"
#include "apps/shell/command_words.hpp"
#include "tests/apps/program.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::tests;

namespace {

apps::ProcessResult run(const std::vector<std::string>& arguments) {
  return apps::run_program(arguments, "");
}

/// What the program prints.
std::string printed(const std::vector<std::string>& arguments) {
  const apps::ProcessResult result = run_regroup(arguments);
  REQUIRE(result.exit_status == 0);
  return result.output;
}

std::string script(const std::string& shell) {
  return printed({"completion", shell});
}

/// What bash offers behind these words, the last of which is being written.
std::string offered(const std::string& words) {
  const TemporaryDirectory scratch;
  const std::string file = (scratch.path() / "completion.bash").string();
  std::ofstream(file) << script("bash") << "compopt() { :; }\nCOMP_WORDS=(" << words << ")\n"
                      << "COMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_regroup\n"
                      << "echo \"${COMPREPLY[*]}\"\n";
  const apps::ProcessResult result = run({"bash", file});
  REQUIRE(result.exit_status == 0);
  return result.output.substr(0, result.output.find('\n'));
}

/// The names in a line of help: "  -o,--output DIR" has --output.
std::vector<std::string> long_options(const std::string& help) {
  std::vector<std::string> names;
  for (std::size_t at = help.find("\n  -"); at != std::string::npos;
       at = help.find("\n  -", at + 1)) {
    const std::size_t begin = help.find("--", at);
    names.push_back(help.substr(begin, help.find_first_of(" =,\n", begin) - begin));
  }
  return names;
}

}  // namespace

TEST_CASE("bash completes commands, options, names to choose from, and leaves files to itself") {
  CHECK(offered("regroup sea") == "search");
  CHECK(offered("regroup search --refi") == "--refit");
  CHECK(offered("regroup search --refit ''") == "none output query both");
  CHECK(offered("regroup search model --method qc") == "qcqa qcqa-ec");
  CHECK(offered("regroup grouping ''") == "export import");
  CHECK(offered("regroup grouping export --form") == "--format");
  CHECK(offered("regroup search --calibration ''").empty());
  CHECK(offered("regroup completion ''") == "bash zsh fish");
}

TEST_CASE("every option of every command is completed by every shell and stands in the manual") {
  const std::vector<std::string> commands = {"search", "convert", "eval", "uptrain", "generate"};
  const std::string bash = script("bash"), zsh = script("zsh"), fish = script("fish");
  for (const std::string& command : commands) {
    const std::vector<std::string> options = long_options(printed({command, "--help"}));
    REQUIRE(options.size() > 5);
    const std::string page = printed({"manual", command});
    for (const std::string& option : options) {
      INFO(command << " " << option);
      CHECK_THAT(bash, contains(option));
      CHECK_THAT(zsh, contains("'*" + option + "["));
      CHECK_THAT(fish, contains("__fish_seen_subcommand_from " + command) &&
                           contains("-l " + option.substr(2)));
      std::string name;
      for (const char c : option) name += c == '-' ? std::string("\\-") : std::string(1, c);
      CHECK_THAT(page, contains("\\fB" + name + "\\fR"));
    }
  }
}

TEST_CASE("shells that are there parse their scripts, and groff the manual without a warning") {
  const TemporaryDirectory scratch;
  const std::map<std::string, std::vector<std::string>> checks = {
      {"bash", {"bash", "-n"}}, {"zsh", {"zsh", "-n"}}, {"fish", {"fish", "--no-execute"}}};
  for (const auto& [shell, check] : checks) {
    const std::string file = (scratch.path() / shell).string();
    std::ofstream(file) << script(shell);
    if (!apps::is_installed(check.front())) continue;
    std::vector<std::string> command = check;
    command.push_back(file);
    INFO(shell);
    CHECK(run(command).exit_status == 0);
  }
  const std::string pages = (scratch.path() / "man").string();
  printed({"manual", "-o", pages});
  std::size_t count = 0;
  for (const auto& page : std::filesystem::directory_iterator(pages)) {
    ++count;
    if (!apps::is_installed("groff")) continue;
    const apps::ProcessResult read =
        run({"groff", "-K", "utf8", "-man", "-ww", "-z", page.path().string()});
    INFO(page.path());
    CHECK(read.exit_status == 0);
    CHECK(read.error == "");
  }
  CHECK(count == 17);
}

TEST_CASE("a shell or command that is not known is refused with those that are") {
  const apps::ProcessResult shell = run_regroup({"completion", "csh"});
  CHECK(shell.exit_status == 2);
  CHECK_THAT(shell.error, contains("bash, zsh, fish") && contains("csh"));
  const apps::ProcessResult command = run_regroup({"manual", "sort"});
  CHECK(command.exit_status == 2);
  CHECK_THAT(command.error, contains("search") && contains("sort"));
}

TEST_CASE("help of search has ten options that people need first, and a heading for every other") {
  const std::string help = printed({"search", "--help"});
  const std::size_t first = help.find("What most people need:");
  const std::size_t next = help.find("\n\n", first);
  REQUIRE(first != std::string::npos);
  CHECK(long_options(help.substr(first, next - first)).size() == 10);
  for (const char* heading :
       {"What to find:", "Sizes:", "Data:", "Measuring:", "Effort:", "Running:"}) {
    CHECK_THAT(help, contains(heading));
  }
  CHECK_THAT(help, !contains(std::string("\n") + apps::kOtherOptions + ":"));
}
