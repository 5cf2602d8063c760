#include "experiments/record/flight_reader.hpp"

#include <charconv>
#include <limits>

#include "sim/kernel/input_error.hpp"
#include "traces/trace_request.hpp"

namespace tokenyard {

namespace {

constexpr std::int64_t kAny = std::numeric_limits<std::int64_t>::max();
constexpr std::size_t kHashDigits = 16;
/// How far the number of a request (or tenant) may be ahead of those that came before.
constexpr std::int64_t kAhead = 65'536;

Time time_at(const JsonObject& json, std::string_view key) {
  return kOrigin + Duration(json.integer(key, 0, kLongest.count()));
}

template <typename Id>
Id id_at(const JsonObject& json, std::string_view key, std::int64_t most) {
  return static_cast<Id>(json.integer(key, 0, most));
}

std::int32_t small_integer(const JsonObject& json, std::string_view key, std::int64_t least,
                           std::int64_t most, std::int32_t fallback) {
  return static_cast<std::int32_t>(json.integer_or(key, least, most, fallback));
}

std::optional<std::uint64_t> hex_word(std::string_view digits) {
  std::uint64_t value = 0;
  const char* end = digits.data() + digits.size();
  const auto parsed = std::from_chars(digits.data(), end, value, 16);
  if (digits.size() != kHashDigits || parsed.ec != std::errc() || parsed.ptr != end) return {};
  return value;
}

std::uint64_t hex_at(const JsonObject& json, std::string_view key) {
  const auto value = hex_word(json.string(key));
  if (!value) json.refuse(key, "expected 16 hexadecimal digits");
  return *value;
}

std::vector<BlockHash> hashes_at(const JsonObject& json, std::string_view key) {
  const std::string digits = json.string(key);
  std::vector<BlockHash> hashes;
  for (std::size_t at = 0; at < digits.size(); at += kHashDigits) {
    const auto hash = hex_word(std::string_view(digits).substr(at, kHashDigits));
    if (!hash) json.refuse(key, "expected 16 hexadecimal digits a block");
    hashes.push_back(BlockHash{*hash});
  }
  return hashes;
}

FedIterationEnd read_end(const JsonObject& json) {
  FedIterationEnd end;
  end.iteration = id_at<IterationId>(json, "end", kAny);
  end.at = time_at(json, "at_ns");
  if (json.has("gaps_ns")) {
    Duration left = end.at - kOrigin;
    for (const std::int64_t gap : json.integers("gaps_ns", 0, kLongest.count())) {
      end.gaps.emplace_back(gap);
      left -= end.gaps.back();
      if (left < Duration{0}) json.refuse("gaps_ns", "they are more than the time until the end");
    }
  }
  end.all_go_on = !json.has("outcomes");
  if (end.all_go_on) return end;
  std::int64_t least = 0;
  for (const JsonObject& each : json.objects("outcomes")) {
    const std::int64_t slot = each.integer("slot", least, kMostTokens);
    least = slot + 1;
    SlotOutcome outcome;
    outcome.finished = each.flag_or("finished", false);
    outcome.parent = small_integer(each, "parent", 0, kMostSequences, outcome.parent);
    if (each.has("block_hash")) outcome.block_hash = BlockHash{hex_at(each, "block_hash")};
    each.refuse_unread();
    end.outcomes.emplace_back(static_cast<std::size_t>(slot), outcome);
  }
  return end;
}

Passed read_passed(const JsonObject& json) {
  Passed passed;
  passed.pass = json.integer("pass", 0, kAny);
  passed.digest = hex_at(json, "digest");
  DecisionWords& words = passed.words;
  if (json.has("iteration")) {
    words.iteration = json.integer("iteration", 0, kAny);
    words.sequences = json.integer("sequences", 1, kAny);
    words.prefill_tokens = json.integer_or("prefill_tokens", 0, kAny, words.prefill_tokens);
    words.repeat = json.integer_or("repeat", 1, kAny, words.repeat);
    words.block_copies = json.integer_or("block_copies", 0, kAny, words.block_copies);
  }
  const auto list = [&](const char* key) {
    return json.has(key) ? json.integers(key, 0, kAny) : std::vector<std::int64_t>();
  };
  words.joined = list("joined");
  words.left = list("left");
  words.copied_out = list("copied_out");
  words.copied_in = list("copied_in");
  return passed;
}

}  // namespace

FlightReader::FlightReader(const std::string& path) : lines_(path) {
  const auto line = lines_.next();
  if (!line) throw InputError(path, 0, "", "the file is empty");
  header_ = read_header(JsonFile::parse(*line, path, lines_.number()));
}

std::optional<FlightLine> FlightReader::next() {
  const auto line = lines_.next();
  if (!line) return std::nullopt;
  std::optional<JsonObject> json;
  try {
    json = JsonFile::parse(*line, path(), lines_.number());
  } catch (const InputError&) {
    if (lines_.line_ended()) throw;
    broke_off_ = true;
    return std::nullopt;
  }
  FlightLine read_line = read(*json);
  json->refuse_unread();
  return read_line;
}

FlightLine FlightReader::read(const JsonObject& json) {
  if (json.has("fed_ns")) {
    return Fed{time_at(json, "fed_ns"), json.integer("due", 0, kAny)};
  }
  if (json.has("pass")) return read_passed(json);
  if (json.has("passes")) {
    return FlightEnd{json.integer("passes", 0, kAny), json.string_or("trace_digest", "")};
  }
  if (json.has("end")) return FedEvent(read_end(json));
  if (json.has("stage_free")) {
    const auto iteration = id_at<IterationId>(json, "stage_free", kAny);
    return FedEvent(FedStageFree{iteration, time_at(json, "at_ns")});
  }
  if (json.has("copy")) {
    const auto copy = id_at<CopyId>(json, "copy", kAny);
    return FedEvent(FedCopyEnd{{copy, json.flag_or("failed", false)}, time_at(json, "at_ns")});
  }
  if (json.has("cancel")) {
    return FedEvent(Cancellation{id_at<RequestId>(json, "cancel", arrivals_ + kAhead)});
  }
  if (json.has("arrival")) return FedEvent(read_arrival(json));
  refuse("", "expected an event (end, stage_free, copy, cancel, arrival), fed_ns, pass or passes");
}

FedArrival FlightReader::read_arrival(const JsonObject& json) {
  FedArrival arrival;
  Request& request = arrival.request;
  request.id = id_at<RequestId>(json, "arrival", arrivals_ + kAhead);
  request.arrival = time_at(json, "at_ns");
  request.prompt_tokens = json.integer("prompt_tokens", 1, kMostTokens);
  if (json.has("max_tokens")) request.max_tokens = json.integer("max_tokens", 1, kMostTokens);
  if (json.has("tenant")) request.tenant = id_at<TenantId>(json, "tenant", arrivals_ + kAhead);
  constexpr auto kInt = std::numeric_limits<std::int32_t>();
  request.priority = small_integer(json, "priority", kInt.min(), kInt.max(), request.priority);
  request.width = small_integer(json, "width", 1, kMostSequences, request.width);
  request.beam_search = json.flag_or("beams", false);
  if (json.has("prompt_hashes")) arrival.prompt_hashes = hashes_at(json, "prompt_hashes");
  if (header_.output_tokens_mean > 0) {
    arrival.output_tokens = json.integer("output_tokens", 1, kMostTokens);
  }
  ++arrivals_;
  return arrival;
}

}  // namespace tokenyard
