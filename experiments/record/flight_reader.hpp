#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "experiments/record/flight_header.hpp"
#include "experiments/record/flight_line.hpp"
#include "traces/line_reader.hpp"

namespace tokenyard {

/// Reads a flight record line by line, strictly: every fault is an `InputError` with file, line and
/// field. An incomplete last line, as a killed run leaves it, is no fault. That the lines tell a
/// true story is not checked here; numbers of requests and tenants are dense, so that no line can
/// ask for memory out of all proportion. Not safe to share between threads.
class FlightReader {
 public:
  /// Reads the first line.
  explicit FlightReader(const std::string& path);

  const FlightHeader& header() const { return header_; }

  /// The next line, or nothing at the end of the file and before an incomplete last line.
  std::optional<FlightLine> next();

  /// Whether the last line was incomplete, and left out.
  bool broke_off() const { return broke_off_; }
  const std::string& path() const { return lines_.path(); }
  /// 1-based number of the line returned last.
  std::size_t line() const { return lines_.number(); }

  /// Throws an `InputError` at the line returned last.
  [[noreturn]] void refuse(std::string_view field, std::string_view message) const {
    lines_.refuse(field, message);
  }

 private:
  FlightLine read(const JsonObject& json);
  FedArrival read_arrival(const JsonObject& json);

  LineReader lines_;
  FlightHeader header_;
  bool broke_off_ = false;
  std::int64_t arrivals_ = 0;
};

}  // namespace tokenyard
