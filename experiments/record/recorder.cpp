#include "experiments/record/recorder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "sim/kernel/invariant.hpp"

namespace tokenyard {

namespace {

constexpr std::string_view kIterationsHeader =
    "start_s,duration_s,batch,prefill_tokens,decode_tokens,kv_blocks_used,swapped_in,swapped_out,"
    "waiting,kv_blocks_shared,kv_blocks_saved,kv_blocks_cached,kv_blocks_draining,"
    "kv_tokens_unused,level_requests";
constexpr const char* kIterationsFile = "iterations.csv";

}  // namespace

Recorder::Recorder(RecorderOptions options)
    : options_(std::move(options)), servers_(options_.replicas) {
  if (options_.program) programs_.emplace(options_.warmup, options_.until);
  if (options_.iterations_csv == nullptr) return;
  if (options_.replicas == 1) {
    csv_ = std::make_unique<TextBuffer>(*options_.iterations_csv, kIterationsFile);
    csv_->text(kIterationsHeader).end_line();
    return;
  }
  csv_ = std::make_unique<TextBuffer>(row_, kIterationsFile);
  merge_.emplace(*options_.iterations_csv, kIterationsFile, options_.replicas);
  merge_->header(fmt::format("{},replica\n", kIterationsHeader));
}

void Recorder::account_blocks_until(Server& server, Time now) {
  if (!server.blocks_since) {
    first_ = std::min(first_, now);
    server.blocks_since = now;
    return;
  }
  const Time since = std::max(*server.blocks_since, options_.warmup);
  if (const Time end = std::min(now, options_.until); end > since) {
    const std::int64_t length = (end - since).count();
    used_.add(server.blocks.kv_blocks_used, length);
    saved_.add(server.blocks.kv_blocks_saved, length);
    unused_.add(server.blocks.kv_tokens_unused, length);
  }
  server.blocks_since = now;
}

void Recorder::decided(Time now, const Iteration& iteration, const IterationFacts& facts) {
  Server& decider = server(iteration);
  account_blocks_until(decider, now);
  decider.blocks = facts;
  if (iteration.empty()) return;
  ++decider.in_flight;
  ++iterations_;
  decider.bubbles.begun(now);
  if (counts(now)) {
    ++counted_iterations_;
    counted_slots_ += static_cast<std::int64_t>(iteration.slots.size());
    computed_tokens_ += iteration.load.prefill_tokens + iteration.load.decode_sequences;
  }
  if (!csv_) return;
  const ReplicaId replica = replica_of(iteration.id);
  if (merge_) merge_->busy_at(replica, now);
  pending_.push_back({iteration.id, facts, {}});
  if (!options_.level_counts.empty()) {
    pending_.back().levels = options_.level_counts[index(replica)];
  }
}

void Recorder::staged(const Iteration& iteration, std::size_t stage, Time begun, Time ended) {
  server(iteration).bubbles.busy(stage, begun, ended);
}

void Recorder::completed(Time now, const Iteration& iteration) {
  Server& ender = server(iteration);
  account_blocks_until(ender, now);
  ender.bubbles.ended(now);
  // With nothing in flight nothing runs; blocks still in use are told of by the next decision,
  // which follows at the same instant unless the server goes idle.
  if (--ender.in_flight == 0) ender.blocks = IterationFacts();
  if (csv_) write_iteration(now, iteration);
}

void Recorder::write_iteration(Time now, const Iteration& iteration) {
  const auto found = std::find_if(pending_.begin(), pending_.end(),
                                  [&](const Pending& p) { return p.id == iteration.id; });
  invariant(found != pending_.end(), "I6 an iteration ends once",
            "iteration {} ended and was not in flight", index(iteration.id));
  const auto [id, facts, levels] = std::move(*found);
  pending_.erase(found);
  // Static batches charge their finished members too: they are in these token counts.
  csv_->seconds(iteration.begun - kOrigin).text(",").seconds(now - iteration.begun).text(",");
  csv_->integer(static_cast<std::int64_t>(iteration.slots.size())).text(",");
  csv_->integer(iteration.load.prefill_tokens).text(",");
  csv_->integer(iteration.load.decode_sequences).text(",");
  csv_->integer(facts.kv_blocks_used).text(",").integer(facts.blocks_in).text(",");
  csv_->integer(facts.blocks_out).text(",").integer(facts.waiting).text(",");
  csv_->integer(facts.kv_blocks_shared).text(",").integer(facts.kv_blocks_saved).text(",");
  csv_->integer(facts.kv_blocks_cached).text(",").integer(facts.kv_blocks_draining).text(",");
  csv_->integer(facts.kv_tokens_unused).text(",");
  for (std::size_t level = 0; level < levels.size(); ++level) {
    if (level > 0) csv_->text(";");
    csv_->integer(levels[level]);
  }
  if (!merge_) {
    csv_->end_line();
    return;
  }
  const ReplicaId replica = replica_of(iteration.id);
  csv_->text(",").integer(static_cast<std::int64_t>(index(replica))).text("\n");
  csv_->flush();
  merge_->add(now, replica, std::exchange(row_, {}).str());
  if (server(iteration).in_flight == 0) merge_->idle(replica);
}

void Recorder::token_gaps(Time now, Duration gap, std::int64_t count) {
  if (counts(now)) gaps_.add(gap.count(), count);
}

/// The end of an iteration, and the decision of the next at the same instant.
void Recorder::step(const Iteration& iteration, const StepFacts& step) {
  IterationFacts facts = server(iteration).blocks;
  facts.kv_blocks_used = step.kv_blocks_used;
  facts.kv_tokens_unused = step.kv_tokens_unused;
  completed(step.at, iteration);
  decided(step.at, iteration, facts);
}

void Recorder::stepped(const Iteration& iteration, std::int64_t sequences,
                       std::span<const StepFacts> steps) {
  step(iteration, steps.front());
  Server& stepper = server(iteration);
  if (!counts(steps.front().at) || !counts(steps.back().at)) {
    for (std::size_t i = 1; i < steps.size(); ++i) {
      token_gaps(steps[i].at, steps[i].at - steps[i - 1].at, sequences);
      step(iteration, steps[i]);
    }
    return;
  }
  // The same without asking each time whether it counts.
  for (std::size_t i = 1; i < steps.size(); ++i) {
    const std::int64_t length = (steps[i].at - steps[i - 1].at).count();
    used_.add(steps[i - 1].kv_blocks_used, length);
    unused_.add(steps[i - 1].kv_tokens_unused, length);
    gaps_.add(length, sequences);
  }
  const StepFacts& last = steps.back();
  const std::int64_t together = (last.at - steps.front().at).count();
  saved_.add(stepper.blocks.kv_blocks_saved, together);
  stepper.blocks_since = last.at;
  stepper.blocks.kv_blocks_used = last.kv_blocks_used;
  stepper.blocks.kv_tokens_unused = last.kv_tokens_unused;
  const auto more = static_cast<std::int64_t>(steps.size()) - 1;
  iterations_ += more;
  counted_iterations_ += more;
  counted_slots_ += more * static_cast<std::int64_t>(iteration.slots.size());
  computed_tokens_ += more * (iteration.load.prefill_tokens + iteration.load.decode_sequences);
}

void Recorder::ended(const RequestFacts& facts) {
  const Duration parts =
      std::accumulate(std::begin(facts.phases), std::end(facts.phases), Duration{0}, std::plus<>());
  const Duration whole = facts.ended - facts.request.arrival;
  invariant(facts.end == End::rejected || parts == whole,
            "I7 the phases make up the time in the system",
            "request {}: the parts make {} ns of {} ns", index(facts.request.id), parts.count(),
            whole.count());
  ++ended_;
  if (facts.end == End::rejected) ++rejections_[facts.reason];
  window_.add(facts, [this](const RequestFacts& next) { keep(next); });
}

/// In dense order.
void Recorder::keep(const RequestFacts& facts) {
  if (options_.requests_csv != nullptr) options_.requests_csv->add(facts);
  if (programs_) programs_->add(options_.program(facts.request.id), facts);
  if (!counts(facts.request.arrival)) return;
  const bool compared = options_.alone && facts.end == End::finished;
  samples_.add(facts, compared ? options_.alone(facts.request.prompt_tokens, facts.output_tokens)
                               : Duration{0});
}

void Recorder::finish_early() {
  programs_.reset();
  window_.take_rest([this](const RequestFacts& next) { keep(next); });
  finish();
}

void Recorder::finish() {
  invariant(window_.taken() == window_.size(), "I4 a request lives and ends once",
            "{} of {} requests never ended", window_.size() - static_cast<std::size_t>(ended_),
            window_.size());
  if (options_.requests_csv != nullptr) options_.requests_csv->finish();
  if (merge_) merge_->finish();
  if (csv_) csv_->flush();
}

namespace {

std::optional<double> ratio(double part, double whole) {
  if (whole <= 0) return std::nullopt;
  return part / whole;
}

}  // namespace

std::optional<double> Recorder::kv_utilization_mean() const {
  Time last = kOrigin;
  for (const Server& each : servers_) last = std::max(last, each.blocks_since.value_or(kOrigin));
  const Time from = std::max(first_, options_.warmup), to = std::min(last, options_.until);
  const auto nanoseconds = static_cast<double>((to - from).count());
  const std::int64_t blocks =
      options_.kv_blocks_total * static_cast<std::int64_t>(options_.replicas);
  return ratio(used_.sum(), nanoseconds * static_cast<double>(blocks));
}

std::optional<double> Recorder::stage_bubble_share() const {
  Duration active{0}, bubbles{0};
  std::size_t stages = 0;
  for (const Server& each : servers_) {
    active += each.bubbles.active();
    bubbles += each.bubbles.bubbles();
    stages = std::max(stages, each.bubbles.stages());
  }
  if (stages < 2) return std::nullopt;
  return ratio(static_cast<double>(bubbles.count()), static_cast<double>(active.count()));
}

std::optional<double> Recorder::kv_waste_mean() const {
  return ratio(unused_.sum(), used_.sum() * static_cast<double>(options_.kv_block_size));
}

std::optional<double> Recorder::kv_saved_mean() const {
  return ratio(saved_.sum(), used_.sum() + saved_.sum());
}

std::optional<double> Recorder::batch_mean() const {
  if (counted_iterations_ == 0) return std::nullopt;
  return static_cast<double>(counted_slots_) / static_cast<double>(counted_iterations_);
}

}  // namespace tokenyard
