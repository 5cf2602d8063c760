#include "experiments/record/program_times.hpp"

#include <algorithm>

namespace tokenyard {

void ProgramTimes::add(std::optional<std::uint32_t> program, const RequestFacts& facts) {
  const Time arrival = facts.request.arrival;
  const bool finished = facts.end == End::finished;
  if (!program) {
    if (!counts({arrival, facts.ended, finished})) return;
    ++single_;
    if (finished) single_jct_.push_back((facts.ended - arrival).count());
    return;
  }
  if (*program >= programs_.size()) programs_.resize(*program + std::size_t{1});
  Program& whole = programs_[*program];
  whole.first_arrival = std::min(whole.first_arrival, arrival);
  whole.last_finish = std::max(whole.last_finish, facts.ended);
  whole.completed = whole.completed && finished;
}

ProgramSummary ProgramTimes::summary() const {
  ProgramSummary summary;
  summary.programs = single_;
  std::vector<std::int64_t> jct = single_jct_;
  for (const Program& program : programs_) {
    if (!counts(program)) continue;
    ++summary.programs;
    if (program.completed) jct.push_back((program.last_finish - program.first_arrival).count());
  }
  summary.completed = static_cast<std::int64_t>(jct.size());
  summary.jct = distribution_of_nanoseconds(std::move(jct));
  return summary;
}

}  // namespace tokenyard
