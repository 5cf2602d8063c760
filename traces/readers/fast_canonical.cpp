#include "traces/readers/fast_canonical.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "traces/text_hash.hpp"

namespace tokenyard {

namespace {

namespace dom = simdjson::dom;

enum Field : std::size_t {
  kId,
  kArrival,
  kInput,
  kOutput,
  kMaxTokens,
  kPredicted,
  kPriority,
  kTenant,
  kCancelAfter,
  kN,
  kBestOf,
  kBeamWidth,
  kBlockHashes,
  kTokenIds,
  kParents,
  kDelay,
  kSession,  // the first that describes a request and decides nothing
  kTurn,
  kModel,
  kDeadline,
  kStatus,
  kPrompt,
  kExt,
  kFields
};

constexpr std::array<std::string_view, kFields> kNames = {"id",
                                                          "arrival_ns",
                                                          "input_tokens",
                                                          "output_tokens",
                                                          "max_tokens",
                                                          "predicted_output_tokens",
                                                          "priority",
                                                          "tenant",
                                                          "cancel_after_ns",
                                                          "n",
                                                          "best_of",
                                                          "beam_width",
                                                          "block_hashes",
                                                          "prompt_token_ids",
                                                          "parents",
                                                          "delay_ns",
                                                          "session_id",
                                                          "turn",
                                                          "model",
                                                          "deadline_ns",
                                                          "status",
                                                          "prompt",
                                                          "ext"};

constexpr std::uint32_t bit(std::size_t field) {
  return std::uint32_t{1} << field;
}

template <typename To>
bool set_integer(To& to, dom::element value, std::int64_t least, std::int64_t most) {
  const auto integer = fast_integer(value, least, most);
  if (integer) to = static_cast<std::int32_t>(*integer);
  return integer.has_value();
}

bool set_time(std::int64_t& to, dom::element value, std::int64_t least) {
  const auto integer = fast_integer(value, least, kLongest.count());
  if (integer) to = *integer;
  return integer.has_value();
}

/// Whether a field that describes a request is what the canonical form says.
bool is_right_detail(std::size_t field, dom::element value) {
  if (value.is_null()) return true;  // as good as not there
  switch (field) {
    case kSession:
      return value.is<std::string_view>() || value.is<std::int64_t>();
    case kTurn:
      return fast_integer(value, 0, kMostTokens).has_value();
    case kModel:
      return value.is<std::string_view>();
    case kDeadline:
      return fast_integer(value, 0, kLongest.count()).has_value();
    case kStatus:
      return !value.is<dom::object>() && !value.is<dom::array>();
    case kExt:
      return value.is<dom::object>() && has_plain_objects(value);
    default:
      return has_plain_objects(value);
  }
}

}  // namespace

bool FastCanonicalRow::read(std::string_view line, TraceRow& row) {
  if (!json_.parse(line)) return false;
  std::uint32_t seen = 0;
  for (const auto& [key, value] : json_.object()) {
    const auto field =
        static_cast<std::size_t>(std::find(kNames.begin(), kNames.end(), key) - kNames.begin());
    if (field == kFields || (seen & bit(field)) != 0) return false;
    seen |= bit(field);
    if (!set(field, value, row)) return false;
  }
  constexpr std::uint32_t kRequired = bit(kId) | bit(kInput) | bit(kOutput);
  if ((seen & kRequired) != kRequired) return false;
  row.arrival_given = (seen & bit(kArrival)) != 0;
  return !row.parents.empty() || (row.arrival_given && (seen & bit(kDelay)) == 0);
}

bool FastCanonicalRow::set(std::size_t field, dom::element value, TraceRow& row) {
  std::int64_t time = 0;
  std::string_view text;
  switch (field) {
    case kId:
      if (const auto number = fast_integer(value, std::numeric_limits<std::int64_t>::min(),
                                           std::numeric_limits<std::int64_t>::max())) {
        label_ = std::to_string(*number);
        row.label = label_;
        return true;
      }
      if (value.get(text) != simdjson::SUCCESS) return false;
      row.label = text;
      return true;
    case kArrival:
      return set_time(row.arrival_ns, value, 0);
    case kInput:
      return set_integer(row.input_tokens, value, 0, kMostTokens);
    case kOutput:
      if (value.is<dom::array>()) return set_outputs(value, row);
      return set_integer(row.output_tokens, value, 0, kMostTokens);
    case kMaxTokens:
      return set_integer(row.max_tokens, value, 1, kMostTokens);
    case kPredicted:
      return set_integer(row.predicted_output_tokens, value, 1, kMostTokens);
    case kPriority:
      return set_integer(row.priority, value, std::numeric_limits<std::int32_t>::min(),
                         kMostTokens);
    case kTenant:
      return value.get(row.tenant) == simdjson::SUCCESS;
    case kCancelAfter:
      if (!set_time(time, value, 1)) return false;
      row.cancel_after = Duration(time);
      return true;
    case kN:
      return set_integer(row.n, value, 1, kMostSequences);
    case kBestOf:
      return set_integer(row.best_of, value, 1, kMostSequences);
    case kBeamWidth:
      return set_integer(row.beam_width, value, 1, kMostSequences);
    case kBlockHashes:
      return set_hashes(value, row);
    case kTokenIds:
      if (!fast_integers(value, 0, kMostTokens, token_ids_)) return false;
      row.prompt_token_ids = token_ids_;
      return true;
    case kParents:
      return set_parents(value, row);
    case kDelay:
      if (!set_time(time, value, 0)) return false;
      row.delay = Duration(time);
      return true;
    default:
      if (field == kSession) set_session(value, row);
      return skip_details_ && is_right_detail(field, value);
  }
}

/// Where it is a text or an integer; what else it is, is refused.
void FastCanonicalRow::set_session(dom::element value, TraceRow& row) {
  std::int64_t number = 0;
  if (value.get(number) == simdjson::SUCCESS) {
    session_ = std::to_string(number);
    row.session = session_;
  } else if (std::string_view text; value.get(text) == simdjson::SUCCESS) {
    row.session = text;
  }
}

bool FastCanonicalRow::set_outputs(dom::element value, TraceRow& row) {
  if (!fast_integers(value, 1, kMostTokens, outputs_) || outputs_.empty()) return false;
  row.outputs = outputs_;
  row.output_tokens = *std::max_element(outputs_.begin(), outputs_.end());
  return true;
}

/// All integers of 64 bits, signed or not, or all texts, of which the hash is taken.
bool FastCanonicalRow::set_hashes(dom::element value, TraceRow& row) {
  block_hashes_.clear();
  dom::array array;
  if (value.get(array) != simdjson::SUCCESS) return false;
  std::size_t texts = 0;
  for (const dom::element element : array) {
    std::string_view text;
    std::uint64_t bits = 0;
    if (element.get(text) == simdjson::SUCCESS) {
      ++texts;
      TextHash hash;
      hash.text(text);
      bits = hash.value();
    } else if (element.is<std::int64_t>()) {
      bits = static_cast<std::uint64_t>(element.get_int64().value_unsafe());
    } else if (element.get(bits) != simdjson::SUCCESS) {
      return false;
    }
    block_hashes_.push_back(static_cast<std::int64_t>(bits));
  }
  if (texts != 0 && texts != block_hashes_.size()) return false;
  row.block_hashes = block_hashes_;
  return true;
}

bool FastCanonicalRow::set_parents(dom::element value, TraceRow& row) {
  dom::array array;
  if (value.get(array) != simdjson::SUCCESS) return false;
  parents_.clear();
  for (const dom::element element : array) {
    std::string_view text;
    if (element.get(text) != simdjson::SUCCESS) return false;
    parents_.emplace_back(text);
  }
  row.parents = parents_;
  return true;
}

}  // namespace tokenyard
