// The ranks of an MPI job. Compiled where REGROUP_MPI is on, in place of alone.cpp.

#include <fmt/format.h>
#include <mpi.h>

#include <chrono>
#include <cstdio>
#include <exception>
#include <thread>
#include <utility>

#include "runs/ranks/rank_messages.hpp"
#include "runs/ranks/ranks.hpp"

namespace regroup::runs {
namespace {

using Bytes = std::vector<std::byte>;
using models::WindowScore;

enum Tag : int { kJob = 1, kScores = 2, kEnd = 3 };

/// Jobs that a helper has at a time: one that it works on, and the next, for rank 0 looks at
/// messages between its own jobs alone.
constexpr int kJobsOfHelper = 2;
constexpr int kFailed = 1;

/// Of this process. Jobs that were given to helpers and not answered; whether rank 0 has ended.
int unanswered = 0;
bool has_ended = false;

int rank() {
  int number = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &number);
  return number;
}

void send(const Bytes& bytes, int to, Tag tag) {
  MPI_Send(bytes.data(), static_cast<int>(bytes.size()), MPI_BYTE, to, tag, MPI_COMM_WORLD);
}

struct Message {
  int from;
  int tag;
  Bytes bytes;
};

/// Waits for a message, asleep: MPI's own waiting takes a processor from who works.
Message receive(int from, int tag) {
  constexpr auto kPoll = std::chrono::milliseconds(2);
  MPI_Status status;
  int found = 0;
  MPI_Iprobe(from, tag, MPI_COMM_WORLD, &found, &status);
  while (found == 0) {
    std::this_thread::sleep_for(kPoll);
    MPI_Iprobe(from, tag, MPI_COMM_WORLD, &found, &status);
  }
  int size = 0;
  MPI_Get_count(&status, MPI_BYTE, &size);
  Message message{status.MPI_SOURCE, status.MPI_TAG, Bytes(static_cast<std::size_t>(size))};
  MPI_Recv(message.bytes.data(), size, MPI_BYTE, message.from, message.tag, MPI_COMM_WORLD,
           MPI_STATUS_IGNORE);
  return message;
}

bool is_waiting(Tag tag) {
  int found = 0;
  MPI_Iprobe(MPI_ANY_SOURCE, tag, MPI_COMM_WORLD, &found, MPI_STATUS_IGNORE);
  return found != 0;
}

/// Whether two candidates are one converted model with different caches.
bool are_one_model(const fitness::Candidate& a, const fitness::Candidate& b) {
  return a.grouping == b.grouping && a.conversion.recipe == b.conversion.recipe &&
         a.conversion.scope == b.conversion.scope;
}

/// Places of candidates, [begin, end).
struct Batch {
  std::size_t begin;
  std::size_t end;
};

std::vector<Batch> batches_of(std::span<const fitness::Candidate> candidates) {
  std::vector<Batch> batches;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (i > 0 && are_one_model(candidates[i - 1], candidates[i])) {
      batches.back().end = i + 1;
    } else {
      batches.push_back({i, i + 1});
    }
  }
  return batches;
}

class RankWorkers : public fitness::Workers<WindowScore> {
 public:
  RankWorkers(const models::CandidateMeter& meter, HelperSetup setup)
      : meter_(meter), local_(fitness::score_workers(meter)), setup_(std::move(setup)) {}

  void prepare(std::stop_token stop, search::Progress& progress) const override {
    local_->prepare(std::move(stop), progress);
  }

  void measure(std::span<const fitness::Candidate> candidates, std::stop_token stop,
               search::Progress& progress, const Sink& sink) const override {
    const std::vector<Batch> batches = batches_of(candidates);
    std::vector<std::vector<Batch>> given(static_cast<std::size_t>(rank_count()));
    std::size_t next = 0;
    const auto give = [&](int helper) {
      if (next == batches.size()) return;
      const Batch batch = batches[next++];
      const auto own = candidates.subspan(batch.begin, batch.end - batch.begin);
      send(job_message({setup_, {own.begin(), own.end()}}), helper, kJob);
      given[static_cast<std::size_t>(helper)].push_back(batch);
      ++unanswered;
    };
    const auto take = [&] {
      const Message message = receive(MPI_ANY_SOURCE, kScores);
      std::vector<Batch>& of_helper = given[static_cast<std::size_t>(message.from)];
      const Batch batch = of_helper.front();
      of_helper.erase(of_helper.begin());
      --unanswered;
      give(message.from);
      CandidateScores scores = read_scores(message.bytes);
      for (std::size_t i = 0; i < scores.size(); ++i) {
        sink(batch.begin + i, std::move(scores[i]));
        progress.advance(meter_.windows().tokens());
      }
    };
    for (int job = 0; job < kJobsOfHelper; ++job) {
      for (int helper = 1; helper < rank_count(); ++helper) give(helper);
    }
    while (next < batches.size() || unanswered > 0) {
      while (is_waiting(kScores)) take();
      if (next < batches.size()) {
        const Batch own = batches[next++];
        local_->measure(candidates.subspan(own.begin, own.end - own.begin), stop, progress,
                        [&](std::size_t i, std::vector<WindowScore> scores) {
                          sink(own.begin + i, std::move(scores));
                        });
      } else if (unanswered > 0) {
        take();
      }
    }
  }

 private:
  const models::CandidateMeter& meter_;
  std::unique_ptr<fitness::Workers<WindowScore>> local_;
  HelperSetup setup_;
};

CandidateScores measured(const models::CandidateMeter& meter,
                         std::span<const fitness::Candidate> candidates, std::stop_token stop) {
  CandidateScores scores(candidates.size());
  search::SilentProgress silent;
  fitness::score_workers(meter)->measure(
      candidates, std::move(stop), silent,
      [&](std::size_t i, std::vector<WindowScore> own) { scores[i] = std::move(own); });
  return scores;
}

}  // namespace

Ranks::Ranks(int& argc, char**& argv) {
  int provided = 0;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
}

Ranks::~Ranks() {
  if (is_helper()) {
    while (!has_ended) has_ended = receive(0, MPI_ANY_TAG).tag == kEnd;
  } else if (unanswered > 0) {
    // The work was broken off: nobody waits for what helpers still do.
    MPI_Abort(MPI_COMM_WORLD, kFailed);
  } else {
    for (int helper = 1; helper < rank_count(); ++helper) send({}, helper, kEnd);
  }
  MPI_Finalize();
}

int rank_count() {
  int count = 1;
  MPI_Comm_size(MPI_COMM_WORLD, &count);
  return count;
}

bool is_helper() {
  return rank() > 0;
}

std::unique_ptr<fitness::Workers<WindowScore>> rank_workers(const models::CandidateMeter& meter,
                                                            HelperSetup setup) {
  if (rank_count() == 1) return fitness::score_workers(meter);
  return std::make_unique<RankWorkers>(meter, std::move(setup));
}

void help(const OpenMeter& open, std::stop_token stop) {
  while (true) {
    const Message message = receive(0, MPI_ANY_TAG);
    if (message.tag == kEnd) {
      has_ended = true;
      return;
    }
    try {
      const HelperJob job = read_job(message.bytes);
      send(scores_message(measured(open(job.setup), job.candidates, stop)), 0, kScores);
    } catch (const std::exception& error) {
      fmt::print(stderr, "regroup: rank {}: {}\n", rank(), error.what());
      std::fflush(stderr);
      MPI_Abort(MPI_COMM_WORLD, kFailed);
    }
  }
}

}  // namespace regroup::runs
