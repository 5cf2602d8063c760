#pragma once
// The words of the scenarios: runs are compared as lines that one can read.

#include <fmt/format.h>

#include <string>
#include <vector>

#include "tests/support/integer_cost.hpp"
#include "tests/support/simulation.hpp"

namespace tokenyard::test {

using namespace std::chrono_literals;
using Lines = std::vector<std::string>;

/// Every iteration takes 10 ms.
inline const IntegerCost& ten_ms() {
  static const IntegerCost cost(10ms);
  return cost;
}

/// A line an iteration: "10: 0+1 2+400" began at 10 ms with one token of request 0 and 400 of 2.
inline Lines plan(const Outcome& outcome) {
  Lines lines;
  for (const Decision& decision : outcome.decisions) {
    lines.push_back(fmt::format("{}:", (decision.begun - kOrigin) / 1ms));
    for (std::size_t i = 0; i < decision.requests.size(); ++i) {
      lines.back() += fmt::format(" {}+{}", decision.requests[i], decision.new_tokens[i]);
    }
  }
  return lines;
}

/// The five phases in ms: queue, prefill, decode, preempted, swap.
inline std::string phases(const Outcome& outcome, std::size_t request) {
  std::vector<std::int64_t> ms;
  for (const Duration phase : outcome.requests.at(request).phases) ms.push_back(phase / 1ms);
  return fmt::format("queue {} prefill {} decode {} preempted {} swap {}", ms[0], ms[1], ms[2],
                     ms[3], ms[4]);
}

inline std::int64_t ended_ms(const Outcome& outcome, std::size_t request) {
  return (outcome.requests.at(request).ended - kOrigin) / 1ms;
}
inline std::int64_t first_token_ms(const Outcome& outcome, std::size_t request) {
  return (outcome.requests.at(request).first_token - kOrigin) / 1ms;
}

/// A pool of `blocks` blocks of one token, so that tokens and blocks are the same number.
inline ServerSettings pool_of(std::int64_t blocks) {
  ServerSettings settings;
  settings.kv.block_size = 1;
  settings.kv.device_blocks = blocks;
  return settings;
}

inline ServerSettings one_at_a_time() {
  ServerSettings settings = ample();
  settings.limits.max_num_seqs = 1;
  return settings;
}

/// First come, first served, writing down what it is told.
class LoggedFcfs final : public Policy {
 public:
  void on_arrive(const RequestView& request, const PolicyContext& context,
                 Ranking& ranking) override {
    note(context, "arrive {} with at most {}", index(request.id), request.max_tokens);
    ranking.set(request.id, {request.arrived.time_since_epoch().count()});
  }
  void on_progress(const RequestView& request, Duration ran, const PolicyContext& context,
                   Ranking&) override {
    note(context, "progress {} for {}", index(request.id), ran / 1ms);
  }
  void on_evict(const RequestView& request, Eviction, const PolicyContext& context,
                Ranking&) override {
    note(context, "evict {}", index(request.id));
  }
  void on_end(const RequestView& request, Departure departure,
              const PolicyContext& context) override {
    note(context, "{} {}", departure == Departure::finished ? "finish" : "cancel",
         index(request.id));
  }
  void refresh(const PolicyContext& context, Ranking&) override { note(context, "refresh"); }

  Lines log;

 private:
  template <typename... Args>
  void note(const PolicyContext& context, fmt::format_string<Args...> text, Args&&... args) {
    log.push_back(fmt::format("{}: ", (context.now() - kOrigin) / 1ms) +
                  fmt::format(text, std::forward<Args>(args)...));
  }
};

}  // namespace tokenyard::test
