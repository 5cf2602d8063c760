#include "experiments/explain/recorded_flight.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "sim/kernel/input_error.hpp"

namespace tokenyard {

namespace {

/// Keeps who was in a run.
class RequestsOfRun final : public Observer {
 public:
  bool watches_iterations() const override { return false; }
  void ended(const RequestFacts& facts) override {
    const std::size_t id = index(facts.request.id);
    if (id >= of_id.size()) of_id.resize(id + 1);
    TraceRequest& request = of_id[id];
    request.label = fmt::to_string(id);
    request.arrival = facts.request.arrival;
    request.input_tokens = facts.request.prompt_tokens;
    request.output_tokens = facts.output_tokens;
    request.tenant = facts.request.tenant;
    request.priority = facts.request.priority;
  }

  std::vector<TraceRequest> of_id;  ///< without label: not seen
};

}  // namespace

RecordedFlight::RecordedFlight(const std::string& path) : path_(path) {
  RequestsOfRun requests;
  {
    const FlightReader record(path);
    label_ = record.header().policy;
    if (record.header().depth > 1) {
      throw InputError(path, 0, "",
                       "several iterations were in flight at once: who waited behind "
                       "which of them is not told");
    }
  }
  const ReplayResult result = watch(requests);
  if (!result.complete) {
    throw InputError(path, 0, "", "the record breaks off before the end of the run");
  }
  std::size_t tenants = 1;
  for (std::size_t id = 0; id < requests.of_id.size(); ++id) {
    const TraceRequest& request = requests.of_id[id];
    if (request.label.empty()) {
      throw InputError(path, 0, "", fmt::format("request {} is not in it, later ones are", id));
    }
    trace_.requests.push_back(request);
    tenants = std::max(tenants, std::size_t{index(request.tenant)} + 1);
  }
  trace_.tenants.clear();
  for (std::size_t i = 0; i < tenants; ++i) trace_.tenants.push_back(fmt::to_string(i));
  requests_ = std::make_unique<TraceView>(trace_);
}

ReplayResult RecordedFlight::watch(Observer& observer) const {
  FlightReader record(path_);
  ReplayResult result = replay(record, &observer);
  if (!result.difference) return result;
  throw InputError(path_, result.difference->line, "",
                   "this program decides otherwise than the recorded run; 'tokenyard replay' says "
                   "how");
}

ExplainedRun RecordedFlight::run() const {
  return {label_, *requests_, trace_.tenants, [this](Observer& observer) { watch(observer); }};
}

}  // namespace tokenyard
