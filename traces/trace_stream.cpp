#include "traces/trace_stream.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "sim/kernel/input_error.hpp"
#include "sim/kernel/invariant.hpp"
#include "traces/transform.hpp"

namespace tokenyard {

namespace {

/// Adds the first requests of a block to the survey, as many as the limit leaves.
void add_block(TraceSurvey& survey, const RequestTable& block, std::size_t most) {
  const std::size_t kept = std::min(block.size(), most - survey.requests);
  for (std::size_t i = 0; i < kept; ++i) {
    survey.output_tokens += block.output_tokens(i);
    survey.longest_context =
        std::max(survey.longest_context, block.input_tokens(i) + block.output_tokens(i));
  }
  survey.requests += kept;
}

}  // namespace

TraceSurvey survey_of(const Trace& trace) {
  TraceSurvey survey;
  add_block(survey, trace.requests, trace.requests.size());
  survey.tenants = trace.tenants;
  survey.counts = trace.counts;
  return survey;
}

std::optional<TraceSurvey> survey_trace(const std::string& path, const ReadOptions& options) {
  constexpr std::size_t kAtOnce = 4096;
  const std::size_t most =
      options.limit ? checked_limit(*options.limit) : std::numeric_limits<std::size_t>::max();
  TraceRows rows(path, options);
  TraceBuilder& builder = rows.builder();
  TraceSurvey survey;
  std::size_t tenants = 0;  // of the requests within the limit
  while (rows.add_next()) {
    if (builder.counts().unsorted > 0 || builder.waits()) return std::nullopt;
    if (survey.requests + builder.waiting() <= most) tenants = builder.tenants().size();
    if (builder.waiting() >= kAtOnce) add_block(survey, builder.take_block().requests, most);
  }
  survey.earliest_ns = rows.origin_ns();
  builder.check_whole(survey.earliest_ns);
  add_block(survey, builder.take_block().requests, most);
  survey.counts = builder.counts();
  const std::size_t beyond = static_cast<std::size_t>(survey.counts.kept) - survey.requests;
  if (beyond > 0) survey.counts.dropped.push_back(beyond_limit(beyond));
  survey.counts.kept = static_cast<std::int64_t>(survey.requests);
  survey.tenants.assign(builder.tenants().begin(),
                        builder.tenants().begin() + static_cast<std::ptrdiff_t>(tenants));
  return survey;
}

TraceStream::TraceStream(const std::string& path, const ReadOptions& options,
                         const TraceSurvey& survey)
    : TraceView(survey.requests, kBlockBits),
      survey_(survey),
      rows_(path, options, TraceBuilder::Ids::trusted),
      digest_(survey.requests) {}

void TraceStream::refuse_change() const {
  throw InputError(rows_.path(), 0, "", "the file was changed while it was read");
}

void TraceStream::free_forgotten() {
  while (blocks() > 0 && (first_block() + 1) << kBlockBits <= kept_from_) {
    drop_first();
    held_blocks_.pop_front();
  }
}

std::size_t TraceStream::held() const {
  std::size_t requests = 0;
  for (const Trace& block : held_blocks_) requests += block.requests.size();
  return requests;
}

void TraceStream::load() {
  free_forgotten();
  const std::size_t wanted = std::min(size() - loaded(), std::size_t{1} << kBlockBits);
  if (wanted == 0) refuse_change();  // more is asked for than was surveyed
  TraceBuilder& builder = rows_.builder();
  while (builder.waiting() < wanted) {
    if (!rows_.add_next() || builder.counts().unsorted > 0) refuse_change();
  }
  Trace block = builder.take_block();
  for (std::size_t i = 0; i < block.requests.size(); ++i) {
    const Time arrival = block.requests.arrival(i) - Duration(survey_.earliest_ns);
    if (arrival < kOrigin) refuse_change();
    block.requests.set_arrival(i, arrival);
  }
  if (builder.tenants().size() > survey_.tenants.size()) refuse_change();
  digest_.add(block, survey_.tenants);
  held_blocks_.push_back(std::move(block));
  append(held_blocks_.back());
}

std::string TraceStream::digest() const {
  invariant(loaded() == size(), "a digest is of a whole trace", "{} of {} requests were read",
            loaded(), size());
  return digest_.text();
}

}  // namespace tokenyard
