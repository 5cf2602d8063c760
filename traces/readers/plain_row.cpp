#include "traces/readers/plain_row.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace tokenyard {

namespace {

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
                                                          "beam_width"};

constexpr std::uint32_t kRequired = 1U << kId | 1U << kArrival | 1U << kInput | 1U << kOutput;

/// A text or a whole number.
struct Scalar {
  std::string_view text;     ///< without quotes
  std::int64_t number = -1;  ///< -1: it is a text
};

class Cursor {
 public:
  explicit Cursor(std::string_view line) : at_(line.data()), end_(line.data() + line.size()) {}

  bool take(char wanted) {
    skip_blanks();
    if (at_ == end_ || *at_ != wanted) return false;
    ++at_;
    return true;
  }

  bool at_end() {
    skip_blanks();
    return at_ == end_;
  }

  bool text(std::string_view& text) {
    if (!take('"')) return false;
    const char* const begin = at_;
    while (at_ != end_ && *at_ >= ' ' && *at_ < '\x7f' && *at_ != '"' && *at_ != '\\') ++at_;
    text = {begin, static_cast<std::size_t>(at_ - begin)};
    if (at_ == end_ || *at_ != '"') return false;
    ++at_;
    return true;
  }

  bool scalar(Scalar& scalar) {
    skip_blanks();
    if (at_ != end_ && *at_ == '"') {
      scalar.number = -1;
      return text(scalar.text);
    }
    constexpr std::ptrdiff_t kMostDigits = 18;  // surely in range
    const char* const begin = at_;
    std::int64_t number = 0;
    for (; at_ != end_ && *at_ >= '0' && *at_ <= '9'; ++at_) {
      if (at_ - begin == kMostDigits) return false;
      number = number * 10 + (*at_ - '0');
    }
    scalar.text = {begin, static_cast<std::size_t>(at_ - begin)};
    scalar.number = number;
    return !scalar.text.empty() && (scalar.text.size() == 1 || scalar.text.front() != '0');
  }

 private:
  void skip_blanks() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\t')) ++at_;
  }

  const char* at_;
  const char* end_;
};

template <typename To>
bool set_integer(To& to, const Scalar& value, std::int64_t least, std::int64_t most) {
  if (value.number < least || value.number > most) return false;
  to = static_cast<std::int32_t>(value.number);
  return true;
}

/// Sets what the field says; false where it says it in another way than expected.
bool set(TraceRow& row, std::size_t field, const Scalar& value) {
  switch (field) {
    case kId:
      row.label = value.text;
      return true;
    case kArrival:
      row.arrival_ns = value.number;
      return value.number >= 0 && value.number <= kLongest.count();
    case kInput:
      return set_integer(row.input_tokens, value, 0, kMostTokens);
    case kOutput:
      return set_integer(row.output_tokens, value, 0, kMostTokens);
    case kMaxTokens:
      return set_integer(row.max_tokens, value, 1, kMostTokens);
    case kPredicted:
      return set_integer(row.predicted_output_tokens, value, 1, kMostTokens);
    case kPriority:
      return set_integer(row.priority, value, 0, kMostTokens);
    case kTenant:
      row.tenant = value.text;
      return value.number == -1;
    case kCancelAfter:
      row.cancel_after = Duration(value.number);
      return value.number >= 1 && value.number <= kLongest.count();
    case kN:
      return set_integer(row.n, value, 1, kMostSequences);
    case kBestOf:
      return set_integer(row.best_of, value, 1, kMostSequences);
    case kBeamWidth:
      return set_integer(row.beam_width, value, 1, kMostSequences);
    default:
      return false;
  }
}

}  // namespace

bool read_plain_row(std::string_view line, TraceRow& row) {
  Cursor at(line);
  if (!at.take('{')) return false;
  std::uint32_t seen = 0;
  do {
    std::string_view name;
    Scalar value;
    if (!at.text(name) || !at.take(':') || !at.scalar(value)) return false;
    const auto field =
        static_cast<std::size_t>(std::find(kNames.begin(), kNames.end(), name) - kNames.begin());
    if (field == kFields || (seen >> field & 1U) != 0) return false;
    seen |= 1U << field;
    if (!set(row, field, value)) return false;
  } while (at.take(','));
  return at.take('}') && at.at_end() && (seen & kRequired) == kRequired;
}

}  // namespace tokenyard
