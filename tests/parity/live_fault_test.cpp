// What goes wrong on a thread of the live engine comes to the loop as what it is.

#include <gtest/gtest.h>

#include <thread>
#include <variant>
#include <vector>

#include "engine/engine.hpp"
#include "engine/live_executor.hpp"
#include "sim/kernel/clock.hpp"
#include "sim/kernel/input_error.hpp"
#include "sim/kernel/invariant.hpp"
#include "tests/parity/engine_runs.hpp"

namespace tokenyard::test {
namespace {

// Would catch: a fault of the engine that ends the process, hangs the loop, or is blamed on the
// scheduler.
TEST(LiveFaults, ComeToTheLoop) {
  EngineModel model("random:llama-tiny", "f32", 1);
  auto jobs = engine_jobs(4, 3);
  EngineSetting setting;
  setting.live = true;
  setting.server.kv.device_blocks = 64;
  // The server is told nothing of the model's context, and lets a prompt in that is too long.
  jobs[2].request.prompt.assign(600, 1);
  try {
    serve_on_engine(model, jobs, setting);
    FAIL() << "nothing went wrong";
  } catch (const InvariantBroken& error) {
    EXPECT_EQ(std::string(error.what()).find("I6"), std::string::npos) << error.what();
  } catch (const InputError&) {
    SUCCEED();
  }
  jobs[2].request.prompt.assign(5, 600);  // no such token
  EXPECT_THROW(serve_on_engine(model, jobs, setting), InputError);
}

class NoRequests final : public RequestSource {
 public:
  EngineRequest request(RequestId) override { throw InputError("there are none"); }
};

// Would catch: a fault of the copying thread that ends the process, or that nobody hears of.
TEST(LiveFaults, OfACopyComeToTheLoopToo) {
  EngineModel model("random:llama-tiny", "f32", 1);
  KvCache cache(model.kv_shape(8), 4, 0);  // nothing can be swapped out
  NoRequests none;
  Engine engine(model.transformer(), cache, none, nullptr, model.workers());
  const WallClock clock;
  Events events;
  const std::vector<BlockId> blocks = {BlockId{2}};
  Iteration iteration;
  iteration.copies.push_back({.device_blocks = blocks, .host_blocks = blocks});
  LiveExecutor executor(engine, clock);
  executor.begin(iteration, kOrigin, events);
  while (events.next_time(Events::kKinds) == kNever) std::this_thread::yield();
  std::vector<Events::Event> due;
  events.take_due(kNever, due);
  ASSERT_EQ(due.size(), 1U);
  EXPECT_TRUE(std::get<CopyEnd>(due.front().payload).failed);
  EXPECT_THROW(executor.check(), InvariantBroken);
}

}  // namespace
}  // namespace tokenyard::test
