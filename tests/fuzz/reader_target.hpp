#pragma once
// What the fuzzer and the test of its finds do with some bytes.

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <string_view>

#include "sim/kernel/input_error.hpp"
#include "traces/reader.hpp"

namespace tokenyard::test {

/// Reads bytes as a trace of a format ("" recognises it). They are read or refused with one line;
/// and the ways that keep what describes requests and that pass over it agree, of which the second
/// goes through the fast parsers.
inline void read_any_bytes(const std::string& format, std::string_view bytes) {
  const auto read = [&](bool details) -> std::string {
    ReadOptions options;
    options.format = format;
    options.details = details;
    try {
      return read_trace_text("fuzz", std::string(bytes), options).digest;
    } catch (const InputError& error) {
      const std::string_view message = error.what();
      if (message.find('\n') != std::string_view::npos) {
        throw std::logic_error(fmt::format("a refusal of several lines: {}", message));
      }
      return "refused: " + std::string(message);
    }
  };
  const std::string fast = read(false);
  const std::string full = read(true);
  if (fast != full) throw std::logic_error(fmt::format("'{}' and '{}'", fast, full));
}

}  // namespace tokenyard::test
