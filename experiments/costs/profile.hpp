#pragma once

#include <functional>
#include <string>
#include <vector>

#include "experiments/costs/cost_file.hpp"
#include "experiments/costs/linear_fit.hpp"
#include "experiments/costs/profile_rounds.hpp"

namespace tokenyard {

/// One row of the account of a profile.
struct ProfileQuality {
  std::string part;  ///< "decode", "held out, by the table", …
  Agreement agreement;
};

/// A measured engine.
struct Profile {
  CostFile file;
  std::vector<ProfileQuality> quality;  ///< in the order of printing
  int rounds = 0;
  double spread = 0;  ///< mean over the points of (third - first quartile) / median
  std::vector<std::string> notes;
  std::vector<std::string> faults;  ///< why it should not be believed; empty: it is good
};

/// The profile of all rounds so far. The mean of each point counts: what slows one iteration in ten
/// by half slows live runs as well, and their queues feel it.
///
/// The table is of differences, so that measured points come out as measured: `tokens` as it is
/// (no more than any other point of as many tokens took), a prefill's and a decode's attention is
/// what the iteration took beyond that; it holds the output rows and sampling too. The linear form
/// is fitted to the same points. Which of them charges is decided on the points held out: the one
/// whose mean error is less.
///
/// It is at fault where the one that charges misses the held-out points by more than
/// `kHeldOutErrorMost` on average, or is a fit whose R² is below `kLeastRSquared`. (Beyond a table
/// a fit of that kind is used, with a note.) Precondition: at least one round that counts.
Profile profile_of(const ProfileRounds& rounds);

/// Measures as many rounds as the plan allows, without a break, and makes the profile. `told` hears
/// after each measurement how many of how many are done, as far as that is known.
Profile take_profile(ProfiledMachine& machine, const ProfilePlan& plan,
                     const std::function<void(std::int64_t done, std::int64_t of)>& told);

inline constexpr double kHeldOutErrorMost = 0.10;
inline constexpr double kLeastRSquared = 0.90;

/// The account as an aligned table.
std::string profile_table(const Profile& profile);

}  // namespace tokenyard
