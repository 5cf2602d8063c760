#include "engine/kernels/workers.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "sim/kernel/invariant.hpp"

namespace tokenyard {
namespace {

// Would catch: items left out or done twice, or parts of which one is much larger than another.
TEST(PartOf, CutsIntoContiguousPartsOfAlmostOneSize) {
  for (const std::int64_t count : {0, 1, 2, 7, 100, 101}) {
    for (const int workers : {1, 2, 3, 16}) {
      std::int64_t next = 0;
      for (int worker = 0; worker < workers; ++worker) {
        const Part part = part_of(count, worker, workers);
        EXPECT_EQ(part.begin, next);
        EXPECT_GE(part.end - part.begin, count / workers);
        EXPECT_LE(part.end - part.begin, count / workers + 1);
        next = part.end;
      }
      EXPECT_EQ(next, count);
    }
  }
}

// Would catch: a worker that is not called, is called twice, or is on another worker's thread; and
// work of one worker that another does not see in the next call.
TEST(Workers, CallEachOnceOnItsOwnThread) {
  for (const int count : {1, 2, 5}) {
    Workers workers(count);
    EXPECT_EQ(workers.count(), count);
    std::vector<std::thread::id> threads(static_cast<std::size_t>(count));
    std::vector<int> calls(threads.size());
    workers.run([&](int worker, int of) {
      EXPECT_EQ(of, count);
      threads[static_cast<std::size_t>(worker)] = std::this_thread::get_id();
      ++calls[static_cast<std::size_t>(worker)];
    });
    EXPECT_EQ(calls, std::vector<int>(threads.size(), 1));
    EXPECT_EQ(threads[0], std::this_thread::get_id());
    std::sort(threads.begin(), threads.end());
    EXPECT_EQ(std::adjacent_find(threads.begin(), threads.end()), threads.end());
  }
}

// Would catch: a call that begins before the last one ended, or whose end is missed, and results
// that are not visible to the others (with the thread sanitizer).
TEST(Workers, RunManyCallsOneAfterAnother) {
  Workers workers(3);
  std::vector<std::int64_t> sums(3);
  std::int64_t total = 0;
  for (int call = 1; call <= 5000; ++call) {
    workers.run([&](int worker, int) { sums[static_cast<std::size_t>(worker)] += total + 1; });
    total = std::accumulate(sums.begin(), sums.end(), std::int64_t{0}) % 1'000'003;
  }
  EXPECT_EQ(sums[0], sums[1]);
  EXPECT_EQ(sums[0], sums[2]);
}

// Would catch: workers that fall asleep and are not woken, or a caller that sleeps for ever.
TEST(Workers, WakeAfterSleeping) {
  using std::chrono::milliseconds;
  Workers workers(2);
  int done = 0;
  for (int call = 0; call < 20; ++call) {
    std::this_thread::sleep_for(milliseconds(call % 3));
    workers.run([&](int worker, int) {
      if (worker == 1) std::this_thread::sleep_for(milliseconds(1));
      if (worker == 1) ++done;
    });
  }
  EXPECT_EQ(done, 20);
}

// Would catch: an exception that ends the program, is lost, comes before the others have ended, or
// is another one from run to run.
TEST(Workers, ThrowOnWhatTheFirstOfThemThrew) {
  for (const int count : {1, 4}) {
    Workers workers(count);
    for (const int first : {0, 2}) {  // those who throw: this one and all after it
      for (int repeat = 0; repeat < 20; ++repeat) {
        std::vector<int> ended(static_cast<std::size_t>(count));
        std::string caught;
        try {
          workers.run([&](int worker, int) {
            if (worker == 3) std::this_thread::sleep_for(std::chrono::milliseconds(1));
            ended[static_cast<std::size_t>(worker)] = 1;
            if (worker >= first) throw std::runtime_error(std::to_string(worker));
          });
        } catch (const std::runtime_error& error) {
          caught = error.what();
        }
        EXPECT_EQ(caught, first < count ? std::to_string(first) : "");
        EXPECT_EQ(ended, std::vector<int>(ended.size(), 1));
      }
    }
    int calls = 0;
    workers.run([&](int worker, int) {
      if (worker == 0) ++calls;
    });
    EXPECT_EQ(calls, 1);
  }
}

// Would catch: a nested call that waits for itself, and a crew of nobody.
TEST(Workers, RefuseMisuse) {
  EXPECT_THROW(Workers(0), InvariantBroken);
  Workers workers(2);
  EXPECT_THROW(workers.run([&](int worker, int) {
    if (worker == 0) workers.run([](int, int) {});
  }),
               InvariantBroken);
}

// Would catch: scratch memory that is too small, is not aligned, or is allocated anew at each call.
TEST(Workers, ScratchGrowsAndStays) {
  Workers workers(1);
  std::byte* large = workers.scratch(10'000);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(large) % 64, 0U);
  std::fill_n(large, 10'000, std::byte{1});
  EXPECT_EQ(workers.scratch(100), large);
  EXPECT_EQ(workers.scratch(10'000), large);
  std::fill_n(workers.scratch(20'000), 20'000, std::byte{1});
}

}  // namespace
}  // namespace tokenyard
