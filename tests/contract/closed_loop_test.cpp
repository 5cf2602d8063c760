// Macro-steps where the next arrivals depend on the ends of requests.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>

#include "models/model_executor.hpp"
#include "sim/kernel/clock.hpp"
#include "sim/server/serve.hpp"
#include "tests/contract/policies_of_catalogue.hpp"
#include "tests/support/diary.hpp"
#include "tests/support/integer_cost.hpp"
#include "tests/support/random_jobs.hpp"

namespace tokenyard::test {
namespace {

using namespace std::chrono_literals;

/// Users who each send their next request some time after the end of the last. A request's id is
/// its user's number and its turn.
class ClosedLoop final : public Workload, public OutputOracle {
 public:
  /// The jobs' lengths are those of the turns, a row of `users` after another; a user thinks as
  /// long as the job's arrival says.
  ClosedLoop(std::vector<Job> jobs, std::size_t users) : jobs_(std::move(jobs)), users_(users) {}

  void post_until(Time, Events& events) override {
    for (; posted_ < std::min(users_, jobs_.size()); ++posted_) post(posted_, kOrigin, events);
  }
  void on_end(RequestId request, Time now, Events& events) override {
    const std::size_t next = index(request) + users_;
    if (next < jobs_.size()) post(next, now, events);
  }
  bool expects_more() const override { return posted_ < std::min(users_, jobs_.size()); }
  std::int64_t output_tokens(RequestId request) const override {
    return jobs_[index(request)].output_tokens;
  }

 private:
  void post(std::size_t job, Time from, Events& events) const {
    Request request;
    request.id = RequestId{static_cast<std::uint32_t>(job)};
    request.arrival = from + jobs_[job].arrival.time_since_epoch();
    request.prompt_tokens = jobs_[job].prompt_tokens;
    events.post(request.arrival, job, Arrival{request});
  }

  std::vector<Job> jobs_;
  std::size_t users_;
  std::size_t posted_ = 0;
};

std::string diary(const std::vector<Job>& jobs, std::size_t users, const std::string& policy,
                  const ServerSettings& settings) {
  static const IntegerCost cost({.iteration = 1ms, .prefill_token = 10us, .context_token = 1us});
  ClosedLoop loop(jobs, users);
  const TruePredictor predictor(loop);
  const auto made = make_policy(policy);
  Diary seen;
  ModelExecutor executor(cost, loop);
  SimClock clock;
  Scheduler scheduler(settings, {*made, cost, &predictor, &loop, seen}, executor.depth());
  serve(scheduler, clock, loop, executor, seen);
  return std::move(seen.text);
}

class ClosedLoops : public testing::TestWithParam<std::string> {};

// Would catch: a macro-step that runs past an arrival which was posted only when it began.
TEST_P(ClosedLoops, AreTheSameWithAndWithoutMacroSteps) {
  EXPECT_TRUE(rc::check([this] {
    auto jobs = random_jobs({.most_jobs = 20, .gap_ms = 9, .prompt = 20, .output = 60});
    for (Job& job : jobs) job.arrival = at_ms(*rc::gen::inRange<std::int64_t>(0, 60));
    const auto users = *rc::gen::inRange<std::size_t>(1, 6);
    ServerSettings settings = random_settings();
    settings.limits.chunk_tokens = 0;
    settings.kv.device_blocks *= *rc::gen::element<std::int64_t>(1, 4);
    const auto macro = diary(jobs, users, GetParam(), settings);
    settings.macro_steps = false;
    RC_ASSERT(equal("macro-steps", macro, diary(jobs, users, GetParam(), settings)));
  }));
}

INSTANTIATE_TEST_SUITE_P(Catalogue, ClosedLoops, testing::ValuesIn(policies_under_test()));

}  // namespace
}  // namespace tokenyard::test
