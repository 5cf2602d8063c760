#include "experiments/explain/explanation_csv.hpp"

#include <fmt/format.h>

#include "experiments/record/requests_csv.hpp"
#include "sim/kernel/text.hpp"

namespace tokenyard {

namespace {

/// Not negative. Sums over many requests exceed what a `Duration` holds.
std::string seconds(WideInteger nanoseconds) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  return fmt::format("{}.{:09}", nanoseconds / kSecond,
                     static_cast<std::int64_t>(nanoseconds % kSecond));
}

std::string seconds(Time at) {
  return format_seconds(at - kOrigin);
}

std::string wait_cells(WideInteger first_turn, WideInteger later) {
  return fmt::format("{},{},{}\n", seconds(first_turn), seconds(later),
                     seconds(first_turn + later));
}

std::string wait_cells(const Wait& wait) {
  return wait_cells(wait.first_turn.count(), wait.later.count());
}

}  // namespace

void ExplanationTables::add(const RequestExplanation& explanation) {
  const std::string key =
      fmt::format("{},{}", csv_field(explanation.run), csv_field(explanation.request));
  for (const PhaseSpan& span : explanation.life) {
    waterfall += fmt::format("{},{},{},{},{}\n", key, phase_name(span.phase), seconds(span.from),
                             seconds(span.until), format_seconds(span.until - span.from));
  }
  for (const Blocker& blocker : explanation.behind) {
    behind +=
        fmt::format("{},{},{},{},{},{}", key, csv_field(blocker.request), blocker.prompt_tokens,
                    blocker.output_tokens, seconds(blocker.arrival), wait_cells(blocker.wait));
  }
  if (explanation.behind_nobody.total() > Duration{0}) {
    behind += fmt::format("{},,,,,{}", key, wait_cells(explanation.behind_nobody));
  }
}

void ExplanationTables::add(const ClassExplanation& explanation) {
  const std::string key = fmt::format("{},{}", csv_field(explanation.run), explanation.by);
  for (const ClassWait& wait : explanation.classes) {
    const std::string name = csv_field(wait.name);
    classes += fmt::format("{},{},{},{},{}\n", key, name, wait.requests, seconds(wait.ran),
                           seconds(wait.waited()));
    for (std::size_t i = 0; i < wait.later.size(); ++i) {
      const bool nobody = i == explanation.classes.size();
      delays += fmt::format("{},{},{},{}", key, name,
                            nobody ? "" : csv_field(explanation.classes[i].name),
                            wait_cells(wait.first_turn[i], wait.later[i]));
    }
  }
}

}  // namespace tokenyard
