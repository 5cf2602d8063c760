// First come, first served: the order of Orca (Yu et al., OSDI 2022, §4) and of vLLM. A request
// keeps its place for life; equal arrivals go to the smaller RequestId.

#include "sim/ports/policy.hpp"

namespace tokenyard {

namespace {

class Fcfs final : public Policy {
 public:
  void on_arrive(const RequestView& request, const PolicyContext&, Ranking& ranking) override {
    ranking.set(request.id, {request.arrived.time_since_epoch().count()});
  }

  Duration indifferent_for(const RequestView&) const override { return Duration::max(); }

  Steady steady(const Running&, const PolicyContext&) const override {
    return {.iterations = Steady::kForGood};
  }
};

std::unique_ptr<Policy> make(Parameters&) {
  return std::make_unique<Fcfs>();
}

}  // namespace

extern const PolicyEntry fcfs{"fcfs", "first come, first served (Orca, vLLM)", make};

}  // namespace tokenyard
