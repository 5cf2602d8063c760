#include "models/model_executor.hpp"

namespace tokenyard {

void ModelExecutor::begin(const Iteration& iteration, Time now, Events& events) {
  outcomes_.clear();
  for (const Slot& slot : iteration.slots) {
    const bool finished = slot.yields && slot.generated + 1 >= oracle_.output_tokens(slot.request);
    outcomes_.push_back({finished});
  }
  events.post(now + cost_.iteration(iteration.load), index(iteration.id),
              IterationEnd{iteration.id, outcomes_});
}

}  // namespace tokenyard
