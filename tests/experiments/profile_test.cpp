#include "experiments/costs/profile.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <optional>

#include "experiments/costs/engine_profile.hpp"
#include "models/cost_model_file.hpp"
#include "sim/kernel/rng.hpp"
#include "tests/support/files.hpp"

namespace tokenyard {
namespace {

using ::testing::HasSubstr;

const std::filesystem::path kData = std::filesystem::path(TOKENYARD_SOURCE_DIR) / "models";

/// A machine with a time for each load, off by a seeded noise.
class MadeUpMachine final : public ProfiledMachine {
 public:
  MadeUpMachine(std::function<double(const IterationLoad&)> seconds, double noise)
      : seconds_(std::move(seconds)), noise_(noise) {}

  Duration iteration(const ProfilePoint& point) override {
    const double part = static_cast<double>(rng_() >> 11) * 0x1p-53;
    const double seconds = seconds_(point.load) * (1 + noise_ * (2 * part - 1));
    now_ += from_seconds(seconds);
    return from_seconds(seconds);
  }
  Duration copy(std::int64_t blocks, bool) override { return Duration(1000) * blocks; }
  Time now() override { return now_; }

 private:
  std::function<double(const IterationLoad&)> seconds_;
  double noise_;
  Rng rng_ = named_stream(3, "made-up machine");
  Time now_ = kOrigin;
};

/// A cost that no straight line meets: weights are read once, whatever the batch, until computing
/// takes longer.
double bent(const IterationLoad& load) {
  const auto tokens = static_cast<double>(load.prefill_tokens + load.decode_sequences);
  return 1e-3 + std::max(20e-3, 0.5e-3 * tokens) +
         1e-8 * static_cast<double>(load.prefill_context_product) +
         2e-6 * static_cast<double>(load.decode_context_tokens);
}

double straight(const IterationLoad& load) {
  return 1e-3 + 0.5e-3 * static_cast<double>(load.prefill_tokens) +
         1e-3 * static_cast<double>(load.decode_sequences) +
         2e-6 * static_cast<double>(load.decode_context_tokens);
}

ProfilePlan plan() {
  ProfilePlan plan;
  plan.limits = {2048, 64, 1024, 16, 4096};
  plan.allowed = std::chrono::hours(10);
  plan.rounds_most = 9;
  return plan;
}

Profile taken(double (*seconds)(const IterationLoad&), double noise) {
  MadeUpMachine machine(seconds, noise);
  std::int64_t last = 0;
  Profile profile = take_profile(machine, plan(), [&](std::int64_t done, std::int64_t of) {
    EXPECT_EQ(done, last + 1);
    EXPECT_LE(done, of);
    last = done;
  });
  return profile;
}

const Agreement& row(const Profile& profile, const std::string& part) {
  return std::find_if(profile.quality.begin(), profile.quality.end(),
                      [&](const ProfileQuality& each) { return each.part == part; })
      ->agreement;
}

// Would catch: a table that does not give back what was measured, mixed batches put together
// wrongly, a choice that is not by the evidence.
TEST(TakeProfile, ChargesByTheTableWhereNoLineFits) {
  const Profile profile = taken(bent, 0.02);
  EXPECT_TRUE(profile.file.use_table);
  EXPECT_LT(row(profile, "held out, table").mean_relative, 0.03);
  EXPECT_GT(row(profile, "held out, fit").mean_relative, 0.03);
  EXPECT_EQ(profile.rounds, 9);
  EXPECT_NEAR(profile.spread, 0.02, 0.012);
}

// Would catch: a fit whose coefficients get lost on the way to the file, copies left out.
TEST(TakeProfile, WritesWhatItFound) {
  const Profile profile = taken(straight, 0.02);
  EXPECT_TRUE(profile.faults.empty());
  EXPECT_LT(row(profile, "all, fit").worst_relative, 0.05);
  const auto cost =
      cost_model_from_json(JsonFile::parse(cost_file_text(profile.file), "profile"), kData);
  EXPECT_EQ(cost->copy(50), Duration(50'000));
  IterationLoad load = IterationLoad::one_prefill(300, 300);
  for (int i = 0; i < 20; ++i) load.add_decode(500);
  EXPECT_NEAR(to_seconds(cost->iteration(load)), straight(load), 0.04 * straight(load));
}

// Would catch: a measurement that has nothing to do with the load, believed.
TEST(TakeProfile, FindsFaultWithWhatNothingExplains) {
  const Profile profile = taken(
      [](const IterationLoad& load) {
        const auto mixed =
            static_cast<std::uint64_t>(load.prefill_tokens * 31 + load.decode_context_tokens * 17);
        return 1e-3 * static_cast<double>(1 + Rng(mixed)() % 100);
      },
      0);
  ASSERT_FALSE(profile.faults.empty());
  EXPECT_THAT(profile.faults[0], HasSubstr("held-out iterations are missed by"));
  std::vector<std::string> told = profile.faults;
  told.insert(told.end(), profile.notes.begin(), profile.notes.end());
  EXPECT_THAT(told, testing::Contains(HasSubstr("the linear fit has an R² of")));
}

// Would catch: more rounds than there is time for, fewer than are needed.
TEST(TakeProfile, KeepsToTheTimeAllowed) {
  ProfilePlan short_plan = plan();
  short_plan.allowed = Duration(1);
  MadeUpMachine machine(straight, 0);
  EXPECT_EQ(take_profile(machine, short_plan, [](auto, auto) {}).rounds, 3);
}

// Would catch: a profile of the first or the last rounds only, a warm-up that counts or comes back,
// rounds that all go the same way.
TEST(ProfileRounds, MakeAProfileOfAllRoundsSoFar) {
  double factor = 5;  // while warming up
  std::vector<std::vector<IterationLoad>> orders(1);
  MadeUpMachine machine(
      [&](const IterationLoad& load) {
        orders.back().push_back(load);
        return factor * straight(load);
      },
      0);
  ProfileRounds rounds(machine, plan());
  const auto charged = [&] {
    const CostFile file = profile_of(rounds).file;
    const auto cost = cost_model_from_json(JsonFile::parse(cost_file_text(file), "profile"), kData);
    return to_seconds(cost->iteration(IterationLoad::one_decode(8)));
  };
  const double once = straight(IterationLoad::one_decode(8));
  for (const double each : {5, 1, 1, 4}) {
    factor = each;
    std::int64_t told = 0;
    EXPECT_GT(rounds.measure([&] { ++told; }), Duration{0});
    EXPECT_EQ(told, rounds.measurements());
    orders.emplace_back();
    if (rounds.count() == 2) {
      EXPECT_NEAR(charged(), once, 1e-6);
    }
  }
  EXPECT_EQ(rounds.count(), 3);
  EXPECT_NEAR(charged(), 2 * once, 1e-6);
  EXPECT_NE(orders[1], orders[2]);
}

// Would catch: iterations that the engine could not carry out, points twice, nothing held out.
TEST(ProfileGrid, StaysWithinTheLimits) {
  for (const ProfileLimits& limits :
       {ProfileLimits{512, 16, 256, 16, 64}, ProfileLimits{17, 3, 4096, 8, 6},
        ProfileLimits{2048, 256, 2048, 16, 512}}) {
    std::vector<std::tuple<ProfilePart, double, double>> places;
    std::size_t held_out = 0;
    for (const ProfilePoint& point : profile_grid(limits, 1)) {
      std::int64_t blocks = 0, tokens = 0;
      for (const ProbeSequence& each : point.sequences) {
        EXPECT_LT(each.computed + each.new_tokens, limits.context);
        EXPECT_GE(each.computed, 0);
        EXPECT_GE(each.new_tokens, 1);
        blocks += (each.computed + each.new_tokens + limits.block_tokens - 1) / limits.block_tokens;
        tokens += each.new_tokens;
      }
      EXPECT_LE(blocks, limits.blocks);
      EXPECT_LE(point.load.decode_sequences, limits.max_sequences);
      EXPECT_LE(point.load.prefill_tokens, limits.max_batched_tokens);
      EXPECT_EQ(tokens, point.load.prefill_tokens + point.load.decode_sequences);
      if (point.part == ProfilePart::held_out) {
        ++held_out;
      } else {
        places.emplace_back(point.part, point.x, point.y);
      }
    }
    EXPECT_GE(held_out, 12U);
    std::sort(places.begin(), places.end());
    EXPECT_EQ(std::adjacent_find(places.begin(), places.end()), places.end());
  }
}

// Would catch: a probe that computes something else than it was asked to, or not at all: more work
// must take longer, by far, whatever the computer does beside it.
TEST(EngineProbe, TakesLongerForMoreWork) {
  EngineModel model("random:llama-tiny", "f32", 1);
  EngineProbe probe(model, 16, 64);
  const auto least = [&](const std::vector<ProbeSequence>& sequences) {
    Duration best = Duration::max();
    for (int i = 0; i < 5; ++i) best = std::min(best, probe.iteration(sequences));
    return best;
  };
  EXPECT_GT(least({{0, 500, true}}), least({{0, 4, true}}));
  EXPECT_GT(probe.copy(1, CopyDirection::to_host), Duration{0});
  EXPECT_GT(probe.copy(64, CopyDirection::to_device), Duration{0});
  EXPECT_EQ(probe.blocks(), 64);
}

}  // namespace
}  // namespace tokenyard
