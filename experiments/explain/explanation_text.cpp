#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "experiments/explain/explanation.hpp"
#include "experiments/record/requests_csv.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

namespace {

constexpr std::size_t kBar = 60;  // columns of a waterfall
constexpr double kPercent = 100;

std::string percent(Duration part, Duration whole) {
  if (whole <= Duration{0}) return "-";
  return fmt::format("{:.1f} %", kPercent * to_seconds(part) / to_seconds(whole));
}

/// One character for each of `kBar` equal pieces of the request's time: '#' where the phase takes
/// at least half of the piece, '.' where it takes less.
std::string bar_of(const RequestExplanation& explanation, Phase phase) {
  const Time arrival = explanation.facts.request.arrival;
  const double whole = to_seconds(explanation.facts.ended - arrival);
  std::array<double, kBar> filled{};
  for (const PhaseSpan& span : explanation.life) {
    if (span.phase != phase || whole <= 0) continue;
    const double from = to_seconds(span.from - arrival) / whole * kBar;
    const double until = to_seconds(span.until - arrival) / whole * kBar;
    for (auto piece = static_cast<std::size_t>(from); piece < kBar; ++piece) {
      const auto left = static_cast<double>(piece);
      if (left >= until) break;
      filled[piece] += std::min(until, left + 1) - std::max(from, left);
    }
  }
  std::string bar;
  for (const double part : filled) bar += part >= 0.5 ? '#' : part > 1e-9 ? '.' : ' ';
  return bar;
}

std::string head_of(const RequestExplanation& explanation) {
  const RequestFacts& facts = explanation.facts;
  const std::string seconds = format_seconds(facts.ended - kOrigin);
  std::string text =
      fmt::format("request {} under {}: {} prompt tokens, arrived at {} s, ",
                  printable(explanation.request), printable(explanation.run),
                  facts.request.prompt_tokens, format_seconds(facts.request.arrival - kOrigin));
  if (facts.end == End::rejected) {
    return text + fmt::format("rejected at {} s: {}\n", seconds, facts.reason);
  }
  text += fmt::format("{} at {} s with {} output tokens\n", status_name(facts.end), seconds,
                      facts.output_tokens);
  if (facts.preemptions + facts.swaps_out > 0) {
    text += fmt::format("preempted {} times, swapped out {} times, {} tokens computed again\n",
                        facts.preemptions, facts.swaps_out, facts.recomputed_tokens);
  }
  return text;
}

std::string waterfall(const RequestExplanation& explanation) {
  const RequestFacts& facts = explanation.facts;
  const Duration whole = facts.ended - facts.request.arrival;
  std::string text =
      fmt::format("\n{:<10} |{:<{}}|{:>18} {:>8}\n", "phase",
                  "arrival" + std::string(kBar - 10, ' ') + "end", kBar, "seconds", "share");
  for (std::size_t i = 0; i < kPhases; ++i) {
    const auto phase = static_cast<Phase>(i);
    text += fmt::format("{:<10} |{}|{:>18} {:>8}\n", phase_name(phase), bar_of(explanation, phase),
                        format_seconds(facts.phases[i]), percent(facts.phases[i], whole));
  }
  text += fmt::format("{:<{}}{:>18}\n", "all", kBar + 13, format_seconds(whole));
  if (explanation.recomputing > Duration{0}) {
    text += fmt::format("of the time preempted it spent {} s in the batch, computing again\n",
                        format_seconds(explanation.recomputing));
  }
  return text;
}

std::string wait_line(const std::string& name, const std::string& facts, const Wait& wait,
                      Duration whole) {
  return fmt::format("{:<20} {:>35} {:>16} {:>16} {:>16} {:>8}\n", name, facts,
                     format_seconds(wait.first_turn), format_seconds(wait.later),
                     format_seconds(wait.total()), percent(wait.total(), whole));
}

std::string sizes(const std::string& prompt, const std::string& output, const std::string& at) {
  return fmt::format("{:>8} {:>8} {:>17}", prompt, output, at);
}

}  // namespace

std::string explanation_text(const RequestExplanation& explanation, std::size_t top) {
  std::string text = head_of(explanation);
  if (explanation.facts.end == End::rejected) return text;
  text += waterfall(explanation);
  const Duration whole = explanation.waited.total();
  if (whole == Duration{0}) return text + "\nIt never waited.\n";
  text += fmt::format("\n{:<20} {} {:>16} {:>16} {:>16} {:>8}\n", "waited behind",
                      sizes("prompt", "output", "arrived (s)"), "first turn (s)", "later (s)",
                      "waited (s)", "share");
  Wait rest;
  for (std::size_t i = 0; i < explanation.behind.size(); ++i) {
    const Blocker& blocker = explanation.behind[i];
    if (i >= top) {
      rest.first_turn += blocker.wait.first_turn;
      rest.later += blocker.wait.later;
      continue;
    }
    text += wait_line(
        printable(blocker.request),
        sizes(fmt::to_string(blocker.prompt_tokens), fmt::to_string(blocker.output_tokens),
              format_seconds(blocker.arrival - kOrigin)),
        blocker.wait, whole);
  }
  if (explanation.behind.size() > top) {
    text += wait_line(fmt::format("{} others", explanation.behind.size() - top), "", rest, whole);
  }
  if (explanation.behind_nobody.total() > Duration{0}) {
    text += wait_line("nobody (nothing ran)", "", explanation.behind_nobody, whole);
  }
  return text + wait_line("all", "", explanation.waited, whole);
}

namespace {

double seconds_of(WideInteger nanoseconds) {
  constexpr double kNanosecond = 1e-9;
  return static_cast<double>(nanoseconds) * kNanosecond;
}

/// Four digits, or all before the point.
std::string short_number(double value) {
  if (value == 0) return "0";
  return fmt::format("{:.{}f}", value, value >= 1000 ? 0 : value >= 100 ? 1 : value >= 10 ? 2 : 3);
}

std::string a_request(double seconds, std::int64_t requests) {
  return requests == 0 ? "-" : short_number(seconds / static_cast<double>(requests));
}

}  // namespace

std::string explanation_text(const ClassExplanation& explanation) {
  const bool sized = explanation.by == "output" || explanation.by == "prompt";
  std::string text =
      fmt::format("{}: seconds that requests waited (rows) while others ran (columns), by {}{}\n\n",
                  printable(explanation.run), explanation.by, sized ? " tokens" : "");
  std::vector<std::vector<std::string>> rows(1);
  rows[0] = {"waiting", "requests"};
  for (const ClassWait& each : explanation.classes) rows[0].push_back(printable(each.name));
  for (const char* head : {"nobody", "waited", "a request", "it ran"}) rows[0].emplace_back(head);
  ClassWait all;
  all.name = "all";
  all.first_turn.resize(explanation.classes.size() + 1);
  all.later.resize(all.first_turn.size());
  const auto add_row = [&rows](const ClassWait& wait) {
    auto& row = rows.emplace_back();
    row = {printable(wait.name), fmt::to_string(wait.requests)};
    for (std::size_t i = 0; i < wait.later.size(); ++i) {
      row.push_back(short_number(seconds_of(wait.behind(i))));
    }
    row.push_back(short_number(seconds_of(wait.waited())));
    row.push_back(a_request(seconds_of(wait.waited()), wait.requests));
    row.push_back(a_request(seconds_of(wait.ran), wait.requests));
  };
  for (const ClassWait& each : explanation.classes) {
    add_row(each);
    all.requests += each.requests;
    all.ran += each.ran;
    for (std::size_t i = 0; i < each.later.size(); ++i) {
      all.first_turn[i] += each.first_turn[i];
      all.later[i] += each.later[i];
    }
  }
  add_row(all);
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      std::size_t width = 0;
      for (const auto& other : rows) width = std::max(width, other[i].size());
      line +=
          i == 0 ? fmt::format("{:<{}}", row[i], width) : fmt::format("  {:>{}}", row[i], width);
    }
    text += line + "\n";
  }
  WideInteger first_turn = 0;
  for (const WideInteger part : all.first_turn) first_turn += part;
  if (all.waited() > 0) {
    text += fmt::format("{:.1f} % of the waiting was for a first turn, the rest after it.\n",
                        kPercent * seconds_of(first_turn) / seconds_of(all.waited()));
  }
  return text;
}

}  // namespace tokenyard
