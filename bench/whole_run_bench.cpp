// Whole simulations of 20,000 requests with nobody watching: the loop, the event queue, the
// scheduler, the memory and the model executor together.

#include <benchmark/benchmark.h>

#include <boost/random/exponential_distribution.hpp>

#include "bench/busy_server.hpp"
#include "models/model_executor.hpp"
#include "sim/kernel/clock.hpp"
#include "sim/kernel/rng.hpp"
#include "sim/server/serve.hpp"

namespace tokenyard::bench {
namespace {

constexpr std::size_t kRequests = 20'000;

/// Requests with exponential gaps and lengths, drawn once; arrivals are posted one at a time.
class DrawnLoad final : public Workload, public OutputOracle {
 public:
  explicit DrawnLoad(double requests_a_second) {
    Rng arrivals = named_stream(1, "arrivals");
    Rng lengths = named_stream(1, "lengths");
    boost::random::exponential_distribution<double> gap(requests_a_second);
    boost::random::exponential_distribution<double> prompt(1 / 800.0), output(1 / 211.0);
    Time at = kOrigin;
    for (std::size_t i = 0; i < kRequests; ++i) {
      at += from_seconds(gap(arrivals));
      Request request;
      request.id = RequestId{static_cast<std::uint32_t>(i)};
      request.arrival = at;
      request.prompt_tokens = 1 + static_cast<std::int64_t>(prompt(lengths));
      requests_.push_back(request);
      output_tokens_.push_back(1 + static_cast<std::int64_t>(output(lengths)));
    }
  }

  void rewind() { next_ = 0; }

  void post_until(Time now, Events& events) override {
    bool beyond = false;
    while (next_ < requests_.size() && !beyond) {
      const Request& request = requests_[next_];
      beyond = request.arrival > now;
      events.post(request.arrival, next_, Arrival{request});
      ++next_;
    }
  }
  bool expects_more() const override { return next_ < requests_.size(); }
  std::int64_t output_tokens(RequestId request) const override {
    return output_tokens_[index(request)];
  }

 private:
  std::vector<Request> requests_;
  std::vector<std::int64_t> output_tokens_;
  std::size_t next_ = 0;
};

class Counter final : public Observer {
 public:
  void decided(Time, const Iteration& iteration, const IterationFacts&) override {
    ++iterations;
    slots += iteration.slots.size();
  }
  std::uint64_t iterations = 0, slots = 0;
};

/// Simulates the load until it is served; `requests_a_second` decides how large batches get.
void whole_run(benchmark::State& state, const char* policy_text, double requests_a_second,
               std::int64_t max_num_seqs, double required) {
  DrawnLoad load(requests_a_second);
  const LinearCostModel cost(plausible_cost());
  const TruePredictor predictor(load);
  Counter counter;
  for (auto _ : state) {
    load.rewind();
    const auto policy = compose_policy(policy_text);
    ModelExecutor executor(cost, load);
    SimClock clock;
    Scheduler scheduler(ample(max_num_seqs), {*policy, cost, &predictor, &load, counter},
                        executor.depth(), {.reads_tables = executor.reads_tables()});
    serve(scheduler, clock, load, executor, counter);
  }
  const auto iterations = static_cast<double>(counter.iterations);
  const auto slots = static_cast<double>(counter.slots);
  state.counters["iterations/s"] = benchmark::Counter(iterations, benchmark::Counter::kIsRate);
  if (required > 0) state.counters["required/s"] = required;
  state.counters["batch"] = slots / iterations;
  state.counters["s/slot"] =
      benchmark::Counter(slots, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  state.counters["requests/s"] =
      benchmark::Counter(static_cast<double>(kRequests) * static_cast<double>(state.iterations()),
                         benchmark::Counter::kIsRate);
}

struct Load {
  const char* name;
  double requests_a_second;
  std::int64_t max_num_seqs;
  double required;  ///< iterations a second; 0 where nothing is promised
};

/// At 9 requests/s this server is nearly full; at 20 thousands wait, and each pass has its pick.
constexpr Load kLoads[] = {{"batch 10", 4, 256, 0},
                           {"batch 50", 9, 256, kRequiredIterationsASecond},
                           {"overload", 20, 50, kRequiredIterationsASecond}};

const bool registered = [] {
  for (const Load& load : kLoads) {
    for (const char* policy : kPolicies) {
      const std::string name = std::string(load.name) + "/" + policy;
      benchmark::RegisterBenchmark(name.c_str(), whole_run, policy, load.requests_a_second,
                                   load.max_num_seqs, load.required)
          ->Unit(benchmark::kMillisecond);
    }
  }
  return true;
}();

}  // namespace
}  // namespace tokenyard::bench
