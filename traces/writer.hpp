#pragma once

#include <string>
#include <string_view>

#include "traces/trace.hpp"

namespace tokenyard {

/// Writes a trace in the canonical form, by the path's ending: .jsonl (with the meta line, where
/// there is one) or .csv (columns id,arrival_ns,input_tokens,output_tokens and the optional ones
/// that occur), each optionally followed by .gz. What is written reads back as the same requests,
/// tenants and digest; so a trace with lists cannot be written as .csv. The file appears whole or
/// not at all. Throws `InputError`.
void write_trace(const Trace& trace, const std::string& path);

/// Refuses a path that `write_trace` could not write by its ending, before any work is done.
void check_trace_ending(const std::string& path);

/// A JSON string, quotes included. `text` must be UTF-8.
std::string json_text(std::string_view text);

}  // namespace tokenyard
