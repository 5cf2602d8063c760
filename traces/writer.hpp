#pragma once

#include <string>
#include <string_view>

#include "traces/trace.hpp"

namespace tokenyard {

/// Writes a trace in one of the forms of `trace_writers` ("tokenyard", "csv", "mooncake", "vidur");
/// "" picks one of the first two by the path's ending. With .gz or .zst at the end it is
/// compressed. The first two read back as the same requests, tenants and digest. The file appears
/// whole or not at all. Returns what the form could not hold, "" where nothing was lost. Throws
/// `InputError`, also for a trace that the form cannot hold.
std::string write_trace(const Trace& trace, const std::string& path, const std::string& form = "");

/// Refuses what `write_trace` could not write by its name, before any work is done.
void check_trace_form(const std::string& path, const std::string& form = "");

/// A JSON string, quotes included. `text` must be UTF-8.
std::string json_text(std::string_view text);

}  // namespace tokenyard
