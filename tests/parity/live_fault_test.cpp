// What goes wrong on a thread of the live engine comes to the loop as what it is.

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace tokenyard::test
