#include "experiments/record/packed_facts.hpp"

namespace tokenyard {

namespace {

// Differences wrap around in unsigned arithmetic, so that even kNever, which is later than
// everything by almost all of its range, comes back as it was.

std::uint64_t bits(std::int64_t value) {
  return static_cast<std::uint64_t>(value);
}
std::uint64_t bits(Duration duration) {
  return bits(duration.count());
}
std::uint64_t bits(Time time) {
  return bits(time - kOrigin);
}

/// Seven bits a byte, the lowest first (LEB128).
class Writer {
 public:
  explicit Writer(std::uint8_t* to) : begin_(to), at_(to) {}

  void number(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7U) *at_++ = static_cast<std::uint8_t>(value | 0x80U);
    *at_++ = static_cast<std::uint8_t>(value);
  }
  /// How far `value` is from `usual`, either way.
  void difference(std::uint64_t value, std::uint64_t usual) {
    const std::uint64_t apart = value - usual;
    number(apart << 1U ^ (0 - (apart >> 63U)));
  }
  std::size_t size() const { return static_cast<std::size_t>(at_ - begin_); }

 private:
  std::uint8_t* begin_;
  std::uint8_t* at_;
};

class Reader {
 public:
  explicit Reader(const std::uint8_t* from) : at_(from) {}

  std::uint64_t number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
      const std::uint8_t byte = *at_++;
      value |= static_cast<std::uint64_t>(byte & 0x7fU) << shift;
      if (byte < 0x80) return value;
    }
  }
  std::uint64_t difference(std::uint64_t usual) {
    const std::uint64_t folded = number();
    return usual + (folded >> 1U ^ (0 - (folded & 1U)));
  }
  std::int64_t integer(std::uint64_t usual) { return static_cast<std::int64_t>(difference(usual)); }
  Time time(Time usual) { return kOrigin + Duration(integer(bits(usual))); }

 private:
  const std::uint8_t* at_;
};

/// The whole of a request's phases; kept apart so that both directions compute it alike.
std::uint64_t in_system(const RequestFacts& facts) {
  return bits(facts.ended) - bits(facts.request.arrival);
}

/// What the phase `i` lasts where a request runs through undisturbed, given the ones before it.
std::uint64_t usual_phase(const RequestFacts& facts, std::size_t i) {
  if (i == 0) return bits(facts.first_scheduled) - bits(facts.request.arrival);
  if (i == 1) return bits(facts.first_token) - bits(facts.first_scheduled);
  if (i > 2) return 0;
  return in_system(facts) - bits(facts.phases[0]) - bits(facts.phases[1]);
}

}  // namespace

std::size_t pack(const RequestFacts& facts, std::uint8_t* to) {
  Writer out(to);
  const Request& request = facts.request;
  out.number(static_cast<std::uint64_t>(facts.end) << 2U | (request.beam_search ? 2U : 0U) |
             (request.max_tokens ? 1U : 0U));
  out.difference(bits(request.arrival), 0);
  out.difference(bits(request.prompt_tokens), 0);
  if (request.max_tokens) out.difference(bits(*request.max_tokens), 0);
  out.number(index(request.tenant));
  out.number(index(facts.replica));
  out.difference(bits(std::int64_t{request.priority}), 0);
  out.difference(bits(std::int64_t{request.width}), 1);
  out.difference(bits(facts.output_tokens), 0);
  out.difference(bits(facts.sequence_tokens), bits(facts.output_tokens));
  out.difference(bits(facts.cached_tokens), 0);
  out.difference(bits(facts.first_scheduled), bits(request.arrival));
  out.difference(bits(facts.first_token), bits(facts.first_scheduled));
  out.difference(bits(facts.ended), bits(facts.first_token));
  for (std::size_t i = 0; i < kPhases; ++i) {
    out.difference(bits(facts.phases[i]), usual_phase(facts, i));
  }
  for (const std::int64_t count :
       {facts.preemptions, facts.swaps_out, facts.swaps_in, facts.recomputed_tokens}) {
    out.difference(bits(count), 0);
  }
  return out.size();
}

RequestFacts unpack(const std::uint8_t* from) {
  Reader in(from);
  RequestFacts facts;
  Request& request = facts.request;
  const std::uint64_t flags = in.number();
  facts.end = static_cast<End>(flags >> 2U);
  request.beam_search = (flags & 2U) != 0;
  request.arrival = in.time(kOrigin);
  request.prompt_tokens = in.integer(0);
  if ((flags & 1U) != 0) request.max_tokens = in.integer(0);
  request.tenant = static_cast<TenantId>(in.number());
  facts.replica = static_cast<ReplicaId>(in.number());
  request.priority = static_cast<std::int32_t>(in.integer(0));
  request.width = static_cast<std::int32_t>(in.integer(1));
  facts.output_tokens = in.integer(0);
  facts.sequence_tokens = in.integer(bits(facts.output_tokens));
  facts.cached_tokens = in.integer(0);
  facts.first_scheduled = in.time(request.arrival);
  facts.first_token = in.time(facts.first_scheduled);
  facts.ended = in.time(facts.first_token);
  for (std::size_t i = 0; i < kPhases; ++i) {
    facts.phases[i] = Duration(in.integer(usual_phase(facts, i)));
  }
  facts.preemptions = in.integer(0);
  facts.swaps_out = in.integer(0);
  facts.swaps_in = in.integer(0);
  facts.recomputed_tokens = in.integer(0);
  return facts;
}

}  // namespace tokenyard
