// Who is let in, what `max_tokens` becomes, and how many tokens are reserved.

#include "sim/server/admission.hpp"

#include <gtest/gtest.h>

#include "sim/kernel/invariant.hpp"

namespace tokenyard {
namespace {

/// A truth that is the same for every request.
class OneLength final : public OutputOracle {
 public:
  explicit OneLength(std::int64_t tokens) : tokens_(tokens) {}
  std::int64_t output_tokens(RequestId) const override { return tokens_; }

 private:
  std::int64_t tokens_;
};

Request prompt(std::int64_t tokens, std::optional<std::int64_t> max_tokens = std::nullopt) {
  Request request;
  request.prompt_tokens = tokens;
  request.max_tokens = max_tokens;
  return request;
}

/// A pool of 10 blocks of 16 tokens, and no context limit.
ServerSettings pool_of_160() {
  ServerSettings settings;
  settings.kv.device_blocks = 10;
  return settings;
}

ServerSettings context_of_100() {
  ServerSettings settings = pool_of_160();
  settings.limits.max_model_len = 100;
  return settings;
}

std::int64_t reserved(Reserve reserve, const Request& request, std::int64_t output) {
  ServerSettings settings = context_of_100();
  settings.kv.reserve = reserve;
  const OneLength oracle(output);
  const Admission admission = admit(request, settings, &oracle);
  EXPECT_TRUE(admission.admitted) << admission.reason;
  return admission.reserve_tokens;
}

// Would catch: an off-by-one that lets in a prompt without room for a token (the run would hang) or
// turns away one with room for exactly one.
TEST(Admission, APromptMustLeaveRoomForOneTokenOfTheContext) {
  const Admission full = admit(prompt(100), context_of_100(), nullptr);
  EXPECT_FALSE(full.admitted);
  EXPECT_EQ(full.reason, "the prompt fills the context");
  const Admission fits = admit(prompt(99), context_of_100(), nullptr);
  EXPECT_TRUE(fits.admitted);
  EXPECT_EQ(fits.max_tokens, 1);
}

// Would catch: the pool forgotten where there is no context limit, or named wrongly.
TEST(Admission, APromptMustLeaveRoomForOneTokenOfThePool) {
  const Admission full = admit(prompt(160), pool_of_160(), nullptr);
  EXPECT_FALSE(full.admitted);
  EXPECT_EQ(full.reason, "the prompt fills the KV pool");
  EXPECT_TRUE(admit(prompt(159), pool_of_160(), nullptr).admitted);

  ServerSettings settings = pool_of_160();
  settings.limits.max_model_len = 2048;  // a context beyond the pool does not help
  EXPECT_EQ(admit(prompt(160), settings, nullptr).reason, "the prompt fills the KV pool");
}

// Would catch: a request that would outgrow the context in the middle of its run.
TEST(Admission, ATrueTotalBeyondTheContextIsRejectedByName) {
  const OneLength eleven(11), ten(10);
  const Admission beyond = admit(prompt(90), context_of_100(), &eleven);
  EXPECT_FALSE(beyond.admitted);
  EXPECT_EQ(beyond.reason, "prompt and output exceed the context");
  EXPECT_TRUE(admit(prompt(90), context_of_100(), &ten).admitted);
}

// Would catch: a request that alone outgrows the pool: it would evict everybody and still not end.
TEST(Admission, ATrueTotalBeyondThePoolIsRejectedByName) {
  const OneLength eleven(11), ten(10);
  const Admission beyond = admit(prompt(150), pool_of_160(), &eleven);
  EXPECT_FALSE(beyond.admitted);
  EXPECT_EQ(beyond.reason, "prompt and output exceed the KV pool");
  EXPECT_TRUE(admit(prompt(150), pool_of_160(), &ten).admitted);
}

// Would catch: a default that leaks the true length, or a client's bound that is ignored or may
// exceed what there is room for.
TEST(Admission, MaxTokensIsTheClientsOrWhatContextOrPoolLeave) {
  const OneLength short_output(2);
  EXPECT_EQ(admit(prompt(30), context_of_100(), &short_output).max_tokens, 70);
  EXPECT_EQ(admit(prompt(30), pool_of_160(), &short_output).max_tokens, 130);
  EXPECT_EQ(admit(prompt(30, 40), context_of_100(), &short_output).max_tokens, 40);
  EXPECT_EQ(admit(prompt(30, 500), context_of_100(), &short_output).max_tokens, 70);
}

// Would catch: page-by-page memory that reserves ahead.
TEST(Admission, PagedReservesNothing) {
  EXPECT_EQ(reserved(Reserve::paged, prompt(30, 40), 20), 0);
}

// Would catch: an Orca that reserves by the truth, or without the prompt.
TEST(Admission, WholeReservesPromptAndMaxTokens) {
  EXPECT_EQ(reserved(Reserve::whole, prompt(30, 40), 20), 70);
  EXPECT_EQ(reserved(Reserve::whole, prompt(30), 20), 100) << "the whole context";
  EXPECT_EQ(reserved(Reserve::whole, prompt(30, 500), 20), 100);
}

// Would catch: rounding of prompt and output together, or of a power of two to the next one.
TEST(Admission, Pow2RoundsTheTrueOutputUpToAPowerOfTwo) {
  EXPECT_EQ(reserved(Reserve::pow2, prompt(30), 17), 30 + 32);
  EXPECT_EQ(reserved(Reserve::pow2, prompt(30), 32), 30 + 32);
  EXPECT_EQ(reserved(Reserve::pow2, prompt(30), 33), 30 + 64);
  EXPECT_EQ(reserved(Reserve::pow2, prompt(30), 1), 30 + 1);
}

// Would catch: a rounded reservation that no pool can ever give, though the output itself fits.
TEST(Admission, Pow2IsCutToWhatCouldEverFit) {
  EXPECT_EQ(reserved(Reserve::pow2, prompt(50), 40), 100);
}

// Would catch: an exact reservation that is not exact.
TEST(Admission, OracleReservesPromptAndTrueOutput) {
  EXPECT_EQ(reserved(Reserve::oracle, prompt(30, 60), 17), 47);
}

// Would catch: a clairvoyant reservation on a live server, where nobody knows the truth.
TEST(Admission, AClairvoyantReservationWithoutTruthBreaksAnInvariant) {
  ServerSettings settings = pool_of_160();
  settings.kv.reserve = Reserve::pow2;
  EXPECT_THROW(admit(prompt(30), settings, nullptr), InvariantBroken);
  settings.kv.reserve = Reserve::oracle;
  EXPECT_THROW(admit(prompt(30), settings, nullptr), InvariantBroken);
}

}  // namespace
}  // namespace tokenyard
