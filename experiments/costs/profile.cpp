#include "experiments/costs/profile.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "experiments/costs/operator_csv.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

namespace {

using Times = ProfileRounds::Times;

double quartile_spread(Times times) {
  std::sort(times.begin(), times.end());
  const std::size_t quarter = times.size() / 4;
  return (times[times.size() - 1 - quarter] - times[quarter]) / median(times);
}

/// The measured points by their place in the table.
struct Parts {
  std::map<double, double> tokens;
  std::map<double, std::map<double, double>> prefill, decode;
};

MeasuredCurve curve_of(const std::map<double, double>& points) {
  std::vector<double> at, seconds;
  for (const auto& [x, value] : points) {
    at.push_back(x);
    seconds.push_back(value);
  }
  return {std::move(at), std::move(seconds)};
}

/// What the iterations took beyond their tokens. A difference below zero is noise: 0.
MeasuredGrid beyond_tokens(const std::map<double, std::map<double, double>>& part,
                           const MeasuredCurve& tokens) {
  std::vector<MeasuredGrid::Row> rows;
  for (const auto& [x, row] : part) {
    bool left = false;
    const double alone = tokens.value(
        x, [](double at) { return at; }, left);
    std::map<double, double> differences;
    for (const auto& [y, seconds] : row) differences[y] = std::max(0.0, seconds - alone);
    rows.push_back({x, curve_of(differences)});
  }
  return MeasuredGrid(std::move(rows));
}

CostTable table_of(const std::vector<ProfilePoint>& points, const std::vector<double>& seconds,
                   const std::string& source) {
  Parts parts;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const ProfilePoint& point = points[i];
    if (point.part == ProfilePart::tokens) parts.tokens[point.x] = seconds[i];
    if (point.part == ProfilePart::prefill) parts.prefill[point.x][point.y] = seconds[i];
    if (point.part == ProfilePart::decode) parts.decode[point.x][point.y] = seconds[i];
  }
  // Whoever computes as many tokens, and something beside it, cannot take less.
  for (auto& [tokens, least] : parts.tokens) {
    for (const auto* part : {&parts.prefill, &parts.decode}) {
      const auto row = part->find(tokens);
      if (row == part->end()) continue;
      for (const auto& [y, value] : row->second) least = std::min(least, value);
    }
  }
  CostTable table{source, 0, curve_of(parts.tokens), {}, {}, {}};
  if (!parts.prefill.empty()) table.prefill_attention = beyond_tokens(parts.prefill, table.tokens);
  if (!parts.decode.empty()) table.decode_attention = beyond_tokens(parts.decode, table.tokens);
  return table;
}

std::vector<double> estimates_of(const CostModel& cost, const std::vector<ProfilePoint>& points,
                                 const std::vector<std::size_t>& which) {
  std::vector<double> estimates;
  for (const std::size_t i : which) estimates.push_back(to_seconds(cost.iteration(points[i].load)));
  return estimates;
}

/// Seconds a block, by weighted least squares through no copy at all.
double copy_block_s(const std::vector<CopyPoint>& points, const std::vector<double>& seconds) {
  double of_products = 0, of_squares = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const double ratio = static_cast<double>(points[i].blocks) / seconds[i];
    of_products += ratio;
    of_squares += ratio * ratio;
  }
  return of_products / of_squares;
}

std::vector<double> means(const std::vector<Times>& times) {
  std::vector<double> found;
  found.reserve(times.size());
  for (const Times& each : times) {
    found.push_back(std::accumulate(each.begin(), each.end(), 0.0) /
                    static_cast<double>(each.size()));
  }
  return found;
}

std::string quality_json(const Profile& profile) {
  std::string text =
      fmt::format(R"({{"rounds":{},"spread":{:.4g})", profile.rounds, profile.spread);
  for (const ProfileQuality& row : profile.quality) {
    text += fmt::format(R"(,"{}":{{"points":{},"r_squared":{:.4g},"mean_relative":{:.4g},)"
                        R"("worst_relative":{:.4g}}})",
                        row.part, row.agreement.points, row.agreement.r_squared,
                        row.agreement.mean_relative, row.agreement.worst_relative);
  }
  return text + "}";
}

/// Sets the linear form and the table beside what was measured and decides which one charges.
class Account {
 public:
  Account(Profile& profile, const std::vector<ProfilePoint>& points,
          const std::vector<double>& seconds)
      : profile_(profile), points_(points), seconds_(seconds) {}

  Agreement add(const std::string& name, const CostModel& cost, bool held_out, bool all,
                ProfilePart part = ProfilePart::tokens) {
    std::vector<std::size_t> which;
    std::vector<double> measured;
    for (std::size_t i = 0; i < points_.size(); ++i) {
      const bool is_held_out = points_[i].part == ProfilePart::held_out;
      if (is_held_out != held_out || (!all && points_[i].part != part)) continue;
      which.push_back(i);
      measured.push_back(seconds_[i]);
    }
    if (which.empty()) return {};
    const Agreement found = agreement_of(measured, estimates_of(cost, points_, which));
    profile_.quality.push_back({name, found});
    return found;
  }

 private:
  Profile& profile_;
  const std::vector<ProfilePoint>& points_;
  const std::vector<double>& seconds_;
};

void judge(Profile& profile, const Agreement& fit, const Agreement& by_fit,
           const Agreement& by_table) {
  profile.file.use_table = by_table.mean_relative <= by_fit.mean_relative;
  const Agreement& charges = profile.file.use_table ? by_table : by_fit;
  profile.notes.push_back(fmt::format(
      "{} charges: it misses held-out iterations by {:.1f} % on average, the {} by {:.1f} %",
      profile.file.use_table ? "the table" : "the linear fit", 100 * charges.mean_relative,
      profile.file.use_table ? "linear fit" : "table",
      100 * (profile.file.use_table ? by_fit : by_table).mean_relative));
  if (charges.points == 0 || charges.mean_relative > kHeldOutErrorMost) {
    profile.faults.push_back(
        fmt::format("held-out iterations are missed by {:.1f} % on average, more than {:.0f} %",
                    100 * charges.mean_relative, 100 * kHeldOutErrorMost));
  }
  if (fit.r_squared >= kLeastRSquared) return;
  std::string bad_fit = fmt::format("the linear fit has an R² of {:.3f}, below {:.2f}",
                                    fit.r_squared, kLeastRSquared);
  if (profile.file.use_table) {
    profile.notes.push_back(bad_fit + ": it is used beyond the table only");
  } else {
    profile.faults.push_back(std::move(bad_fit));
  }
}

}  // namespace

Profile profile_of(const ProfileRounds& rounds) {
  const std::vector<ProfilePoint>& points = rounds.points();
  const std::vector<double> seconds = means(rounds.iteration_times());

  std::vector<MeasuredIteration> fitted;
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (points[i].part != ProfilePart::held_out) fitted.push_back({points[i].load, seconds[i]});
  }
  LinearFit fit = fit_linear(fitted);
  fit.coefficients.swap_block_s = copy_block_s(rounds.copies(), means(rounds.copy_times()));
  const LinearCostModel linear(fit.coefficients);
  Profile profile{
      {table_of(points, seconds, rounds.plan().source), linear.to_json()}, {}, 0, 0, {}, {}};
  profile.rounds = rounds.count();
  for (const Times& times : rounds.iteration_times()) {
    profile.spread += quartile_spread(times) / static_cast<double>(points.size());
  }
  const TableCostModel table(profile.file.table, linear);
  Account account(profile, points, seconds);
  account.add("tokens, fit", linear, false, false, ProfilePart::tokens);
  account.add("prefill, fit", linear, false, false, ProfilePart::prefill);
  account.add("decode, fit", linear, false, false, ProfilePart::decode);
  const Agreement all = account.add("all, fit", linear, false, true);
  const Agreement by_fit = account.add("held out, fit", linear, true, true);
  const Agreement by_table = account.add("held out, table", table, true, true);
  for (const std::string& name : fit.dropped) {
    profile.notes.push_back(fmt::format(
        "the fit does without {}: no value above 0 meets the measurements better", name));
  }
  profile.notes.push_back(
      fmt::format("{} rounds; the middle half of a point's times spans {:.0f} % of their median",
                  profile.rounds, 100 * profile.spread));
  judge(profile, all, by_fit, by_table);
  profile.file.quality = quality_json(profile);
  return profile;
}

Profile take_profile(ProfiledMachine& machine, const ProfilePlan& plan,
                     const std::function<void(std::int64_t, std::int64_t)>& told) {
  ProfileRounds rounds(machine, plan);
  const Time begun = machine.now();
  Duration took{0};
  std::int64_t done = 0;
  while (rounds.count() < plan.rounds_most) {
    const bool enough = rounds.count() >= plan.rounds_least;
    if (enough && machine.now() + took - begun > plan.allowed) break;
    std::int64_t expected = plan.rounds_least + 1;
    if (took > Duration{0}) {
      expected = std::clamp<std::int64_t>(plan.allowed / took, expected, plan.rounds_most + 1);
    }
    took = rounds.measure([&] {
      ++done;
      told(done, std::max(done, expected * rounds.measurements()));
    });
  }
  return profile_of(rounds);
}

std::string profile_table(const Profile& profile) {
  std::string text = fmt::format("{:<16} {:>6} {:>8} {:>10} {:>10}\n", "", "points", "R²",
                                 "mean |e|", "worst |e|");
  for (const ProfileQuality& row : profile.quality) {
    text += fmt::format("{:<16} {:>6} {:>7.4f} {:>9.1f}% {:>9.1f}%\n", row.part,
                        row.agreement.points, row.agreement.r_squared,
                        100 * row.agreement.mean_relative, 100 * row.agreement.worst_relative);
  }
  return text;
}

}  // namespace tokenyard
