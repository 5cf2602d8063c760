// The form of Vidur's processed traces: seconds from the start and two lengths.

#include <fmt/format.h>

#include <iterator>

#include "traces/writers/catalogue.hpp"

namespace tokenyard {

namespace {

class VidurRows final : public RowWriter {
 public:
  explicit VidurRows(const Trace&) {}

  void begin(fmt::memory_buffer& out) const override {
    fmt::format_to(std::back_inserter(out), "arrived_at,num_prefill_tokens,num_decode_tokens\n");
  }
  void row(const TraceRequest& request, fmt::memory_buffer& out) override {
    constexpr std::int64_t kSecond = 1'000'000'000;
    const std::int64_t at = nanoseconds(request.arrival);
    fmt::format_to(std::back_inserter(out), "{}.{:09},{},{}\n", at / kSecond, at % kSecond,
                   request.input_tokens, request.output_tokens);
  }
};

std::string fault(const Trace& trace) {
  return trace.parents.empty() ? "" : "Vidur's form has no requests that wait for others";
}

std::string lost(const Trace& trace) {
  return lost_beyond_lengths(trace, false);
}

}  // namespace

const WriterEntry kVidurWriter = {"vidur", "CSV: arrived_at,num_prefill_tokens,num_decode_tokens",
                                  ".csv",  fault,
                                  lost,    open_rows<VidurRows>};

}  // namespace tokenyard
